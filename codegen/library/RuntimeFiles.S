/* The runtime's archives and its public header, carried inside the compiler: a generated library needs no other file. */
        .section .rodata
        .balign 16
        .global lutc_runtime_archive_begin, lutc_runtime_archive_end, lutc_lmma_archive_begin, lutc_lmma_archive_end
        .global lutc_header_begin, lutc_header_end
lutc_runtime_archive_begin:
        .incbin LUTC_RUNTIME_ARCHIVE
lutc_runtime_archive_end:
        .balign 16
lutc_lmma_archive_begin:
        .incbin LUTC_LMMA_ARCHIVE
lutc_lmma_archive_end:
lutc_header_begin:
        .incbin LUTC_RUNTIME_HEADER
lutc_header_end:
        .section .note.GNU-stack,"",@progbits
