"""The embedded checkpoint's tokenizer and text encoder, in the classes that Stable Diffusion uses."""

from __future__ import annotations

import random
from pathlib import Path

from tokenizers.trainers import BpeTrainer
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from impress_ui.art.painting import PHOTOGRAPH
from training.captions import STYLE_PHRASES, SUBJECTS, UNNAMED, caption

MAX_TOKENS = 32
WIDTH = 192
VOCABULARY = 900
# Common words beside those of the captions, so that a visitor's own prompt is not cut into single letters.
COMMON = """
the a an of in on at with and or by from under over near above behind between no not very bright dark light red
green blue yellow orange purple pink white black grey gray brown golden warm cold sunny rainy stormy calm old new
big small high deep wide summer winter spring autumn day night morning evening sunset sunrise dawn dusk moon sun
stars cloud rain river lake sea ocean island boat ship house castle tower bridge road path street village garden
flower tree grass rock stone sand snow ice fire smoke person man woman child people face portrait dog cat horse
bird airplane car train painting drawing style art artist picture image photo realistic abstract colourful colorful
detail blurry noise quality
"""


def sentences(count: int = 4000) -> list[str]:
    """Captions of every subject in every style, and the common words."""
    rng = random.Random(0)
    subjects = [*SUBJECTS, UNNAMED]
    drawn = [caption(rng.choice(subjects), rng.choice([PHOTOGRAPH, *STYLE_PHRASES]), rng) for _ in range(count)]
    return drawn + [word for word in COMMON.split() for _ in range(20)]


def tokenizer_of(folder: Path) -> CLIPTokenizer:
    """The tokenizer kept in a folder, or a new one put there: learning breaks ties differently from run to run."""
    if not (folder / "tokenizer_config.json").exists():
        save_tokenizer(new_tokenizer(), folder)
    return CLIPTokenizer.from_pretrained(folder)


def save_tokenizer(tokenizer: CLIPTokenizer, folder: Path) -> None:
    """In today's form and in the vocab.json and merges.txt of published checkpoints."""
    tokenizer.save_pretrained(folder)
    tokenizer.backend_tokenizer.model.save(str(folder))


def new_tokenizer() -> CLIPTokenizer:
    """A byte-pair CLIPTokenizer learnt from the captions; it knows every byte, so no prompt is refused."""
    specials = ["<|startoftext|>", "<|endoftext|>"]
    draft = CLIPTokenizer()
    trainer = BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=specials,
        initial_alphabet=_byte_alphabet(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    core = draft.backend_tokenizer
    core.train_from_iterator(sentences(), trainer)
    vocabulary = _without_collisions(core.get_vocab(), specials)
    merges = _merges(core)
    # Single characters at the end of a word, which byte-pair training leaves out where it has not seen them.
    for character in _byte_alphabet():
        vocabulary.setdefault(character + "</w>", len(vocabulary))
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=MAX_TOKENS)


def _without_collisions(vocabulary: dict[str, int], specials: list[str]) -> dict[str, int]:
    """The special tokens keep the numbers that the draft gave them; a token that the trainer put there moves."""
    taken = {vocabulary[special] for special in specials}
    free = iter(set(range(len(vocabulary))) - set(vocabulary.values()))
    return {
        token: next(free) if number in taken and token not in specials else number
        for token, number in vocabulary.items()
    }


def _byte_alphabet() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


def _merges(core) -> list[tuple[str, str]]:
    import json

    return [tuple(pair) for pair in json.loads(core.to_str())["model"]["merges"]]


def new_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A small CLIPTextModel with fresh weights, trained together with the denoiser."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=3 * WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
