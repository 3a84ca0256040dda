/* Machines and costs, carried inside the compiler as strings that end with a 0. */
#define LUT_DATA_FILE(symbol, path) .global lutc_data_##symbol; lutc_data_##symbol: .incbin path; .byte 0;
        .section .rodata
#include "codegen/targets/lmma/MachineFiles.def"
        .section .note.GNU-stack,"",@progbits
