"""The table of protections: a file each; a new one is listed here and known to page, command line, API and docs."""

from impress_ui.methods.protections.advdm import ADVDM_PLUS
from impress_ui.methods.protections.advdm_minus import ADVDM_MINUS
from impress_ui.methods.protections.advpaint import ADVPAINT
from impress_ui.methods.protections.aspl import ASPL
from impress_ui.methods.protections.dct_shield import DCT_SHIELD
from impress_ui.methods.protections.edit_shield import EDIT_SHIELD
from impress_ui.methods.protections.glaze import GLAZE
from impress_ui.methods.protections.mist_fused import MIST_FUSED
from impress_ui.methods.protections.mist_textural import MIST_TEXTURAL
from impress_ui.methods.protections.nightshade import NIGHTSHADE
from impress_ui.methods.protections.photoguard_diffusion import PHOTOGUARD_DIFFUSION
from impress_ui.methods.protections.photoguard_encoder import PHOTOGUARD_ENCODER
from impress_ui.methods.protections.protection import Protection
from impress_ui.methods.protections.sds_minus import SDS_MINUS
from impress_ui.methods.protections.sds_plus import SDS_PLUS
from impress_ui.methods.protections.sdst_minus import SDST_MINUS
from impress_ui.methods.protections.styleguard import STYLEGUARD

PROTECTIONS: dict[str, Protection] = {
    protection.name: protection
    for protection in (
        PHOTOGUARD_ENCODER,
        PHOTOGUARD_DIFFUSION,
        DCT_SHIELD,
        EDIT_SHIELD,
        GLAZE,
        NIGHTSHADE,
        ADVDM_PLUS,
        ADVDM_MINUS,
        ADVPAINT,
        STYLEGUARD,
        MIST_TEXTURAL,
        MIST_FUSED,
        SDS_PLUS,
        SDS_MINUS,
        SDST_MINUS,
        ASPL,
    )
}
