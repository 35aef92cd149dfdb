/* The DejaVu Sans faces, as they are in the Debian package fonts-dejavu-core. */
    .section .rodata
    .balign 16
    .globl font_sans_begin, font_sans_end, font_bold_begin, font_bold_end
font_sans_begin:
    .incbin "DejaVuSans.ttf"
font_sans_end:
    .balign 16
font_bold_begin:
    .incbin "DejaVuSans-Bold.ttf"
font_bold_end:
    .section .note.GNU-stack, "", %progbits
