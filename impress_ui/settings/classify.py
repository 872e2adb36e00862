"""The settings of the classifier that says which style a picture has."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from impress_ui.fields import Settings, knob

ClassifyPreset = Literal["styles", "paper", "paper-diffusion"]
ClassifyMethod = Literal["clip", "diffusion"]
ErrorMean = Literal["arithmetic", "geometric"]

MICRO_CLIP_NAME = "micro-clip"
# The 27 genres of WikiArt and 12 more, as the published classifier of IMPRESS names them.
PAPER_CLASSES = (
    "Abstract_Expressionism", "Action_painting", "Analytical_Cubism", "Art_Nouveau_Modern", "Baroque",
    "Color_Field_Painting", "Contemporary_Realism", "Cubism", "Early_Renaissance", "Expressionism", "Fauvism",
    "High_Renaissance", "Impressionism", "Mannerism_Late_Renaissance", "Minimalism", "Naive_Art_Primitivism",
    "New_Realism", "Northern_Renaissance", "Pointillism", "Pop_Art", "Post_Impressionism", "Realism", "Rococo",
    "Romanticism", "Symbolism", "Synthetic_Cubism", "Ukiyo_e", "Anime", "Caricature", "Cartoon", "Picture Books",
    "Comics", "Commercial Art", "Concept Art", "Fantasy", "Fashion", "Fine art", "Line art", "Retro",
)  # fmt: skip
CLASSIFIERS: dict[str, dict[str, Any]] = {
    "styles": {},
    "paper": {"model": "ViT-B-32", "classes": PAPER_CLASSES, "templates": ("{}",), "top_k": 3},
    "paper-diffusion": {
        "method": "diffusion",
        "classes": PAPER_CLASSES,
        "templates": ("A {} style artwork",),
        "top_k": 3,
        "stages": ((20, 20), (10, 50), (5, 100), (3, 500)),
        "error_mean": "arithmetic",
    },
}


class ClassifySettings(Settings):
    """A zero-shot classifier: a model, and sentences about the classes. A preset is a set of defaults."""

    chooser: ClassVar = "preset"
    choices: ClassVar = CLASSIFIERS

    preset: ClassifyPreset = knob(
        "styles",
        "'styles' tells this program's styles and artists apart; 'paper' is the published classifier: 39 genres, the "
        "first three of which count, and OpenAI's ViT-B/32; 'paper-diffusion' is its diffusion classifier.",
        label="Preset",
    )
    method: ClassifyMethod = knob(
        "clip",
        "A CLIP, or the diffusion classifier: the class whose prompt lets a diffusion model err least, hundreds of "
        "its passes a picture.",
        label="Method",
    )
    model: str = knob(
        MICRO_CLIP_NAME,
        "The CLIP: 'micro-clip' ships with the program; ViT-B-32 has OpenAI's weights, from the hub's cache, the hub "
        "or, as ViT-B-32:FILE, a file; a folder holds an open_clip model.",
        label="Classifier",
        min_length=1,
        max_length=500,
    )
    templates: tuple[str, ...] = knob(
        ("{}", "a picture in the style of {}"),
        "Sentences about a class, whose name stands for {}; their embeddings are averaged.",
        label="Templates",
        min_length=1,
        max_length=100,
    )
    classes: tuple[str, ...] = knob(
        (), "The classes to choose from; none given are all of this program's styles and artists.", label="Classes"
    )
    top_k: int = knob(
        1, "How many of the likeliest classes may hold the right one.", symbol="k", label="Top-k", step=1, ge=1, le=100
    )

    stages: tuple[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1, le=1000)]], ...] = knob(
        ((4, 6), (1, 24)),
        "Diffusion classifier: how many classes stay after how many tried times and noises, stage by stage.",
        label="Stages",
        min_length=1,
        max_length=20,
    )
    error_mean: ErrorMean = knob(
        "geometric",
        "Diffusion classifier: the mean of a class's errors over the times; arithmetic as published, where the "
        "noisiest times decide, or geometric, where all times count alike.",
        label="Mean of the errors",
    )

    @model_validator(mode="after")
    def _templates_name_the_class(self) -> ClassifySettings:
        for template in self.templates:
            if template.count("{}") != 1 or template.replace("{}", "").count("{") + template.count("}") != 1:
                raise ValueError(f"the template '{template[:60]}' must hold {{}} once, where the class's name goes")
        return self
