"""The words that the embedded checkpoint was taught, and prompts made of them."""

STYLES = (
    "photograph", "oil painting", "watercolour", "pointillist painting", "cubist painting", "woodcut",
    "stained glass window", "mosaic", "pencil sketch",
)  # fmt: skip
SUBJECTS = (
    "mountain", "city", "sea", "canyon", "desert", "sand dunes", "fields", "forest", "hills", "beach", "snow", "sky",
    "valley", "lake", "lava", "fog", "space",
)  # fmt: skip
EDIT_EXAMPLES = (
    "a watercolour of a mountain",
    "a stained glass window of a city",
    "a mosaic of the sea",
    "a woodcut of a canyon",
    "a cubist painting of sand dunes",
    "a pencil sketch of a forest",
    "a photograph of snow",
)
GENERATE_EXAMPLES = (
    "an oil painting of the sea",
    "a photograph of a valley",
    "a pointillist painting of fields",
    "a mosaic of lava",
)
