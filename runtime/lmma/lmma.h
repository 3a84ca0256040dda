/* lmma.h: programs of the LUT-instruction machine (LUT Tensor Core, ISCA 2025): their encoding, check and
   execution. C11, no allocation. The specification of the machine is README.md.

   A program runs once for every block of a grid: block columns along the output rows n, block rows along the
   tokens m. The warps of a block run the same instructions, each with its own scalars and registers, and
   share the block's scratchpad. Registers and scratchpad are 0 when a block starts. All numbers are
   little-endian. */
#ifndef LMMA_H
#define LMMA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Encoding ---- */

#define LMMA_VERSION 1u
enum {
  LMMA_REGISTER_BYTES = 128, /* 32 lanes of 4 bytes */
  LMMA_SCALARS = 32,         /* s31 is always 0 */
  LMMA_MAX_REGISTERS = 1024, /* of a warp */
  LMMA_MAX_WARPS = 32,
  LMMA_MAX_SCRATCHPAD = 1 << 20, /* bytes of a block */
  LMMA_MAX_BUFFERS = 16,
  LMMA_MAX_INSTRUCTIONS = 1 << 16,
  LMMA_MAX_LOOP_DEPTH = 8
};

/* Scalars that a block starts with; the others start as 0. */
enum { LMMA_BLOCK_COLUMN = 0, LMMA_BLOCK_ROW = 1, LMMA_WARP = 2, LMMA_TOKENS = 3, LMMA_ZERO = 31 };

typedef struct lmma_header {
  uint8_t magic[8]; /* "LMMAPROG" */
  uint32_t version;
  uint32_t instructions; /* that follow the header */
  uint32_t registers;    /* of each warp */
  uint32_t scratchpad;   /* bytes; 0: none */
  uint32_t warps;
  uint32_t buffers;        /* that load, store and fetch name; 0: none */
  uint32_t tile_m, tile_n; /* of a block: tokens, output rows */
  uint32_t zero[4];
  uint64_t checksum; /* of the header with this field 0 and the instructions */
} lmma_header;

typedef enum lmma_type {
  LMMA_NONE, /* no operand */
  LMMA_I1,   /* weights: bit planes of -1/+1 */
  LMMA_I2,
  LMMA_I3,
  LMMA_I4,
  LMMA_T3, /* weights: three trits as one 5-bit index */
  LMMA_U8,
  LMMA_I8,
  LMMA_I16,
  LMMA_I32,
  LMMA_F8, /* e4m3: no infinities, NaN is s.1111.111 */
  LMMA_F16,
  LMMA_F32,
  LMMA_BF16,
  LMMA_I5, /* weights, as I1..I4; of 8 planes: I8 */
  LMMA_I6,
  LMMA_E8M0 /* 2^(byte - 127), 255: infinity */
} lmma_type;

typedef enum lmma_opcode {
  LMMA_EXIT,
  LMMA_BARRIER,
  LMMA_LOOP,
  LMMA_END,
  LMMA_AFFINE,
  LMMA_LOAD,
  LMMA_STORE,
  LMMA_FETCH,
  LMMA_READ,
  LMMA_WRITE,
  LMMA_CLEAR,
  LMMA_TABLE,
  LMMA_MULTIPLY,
  LMMA_CORRECT,
  LMMA_SCALE,
  LMMA_ADD,
  LMMA_TIMES,
  LMMA_CONVERT,
  LMMA_SHIFT,
  LMMA_OPCODES
} lmma_opcode;

/* How a fragment spreads over [M][N]. */
typedef enum lmma_spread { LMMA_FULL, LMMA_VECTOR, LMMA_ONE } lmma_spread;

/* 32 bytes. Fields that an opcode does not name are 0. Fragments are dense, row-major, and start at a
   register.

   exit      the block ends; the last instruction, and only there
   barrier   waits for all warps of the block; what they wrote to the scratchpad is visible after it
   loop      scalar[0] = 0, 1, ... below scalar[1] + imm[0]; not at all where that is < 1
   end       of the innermost loop
   affine    scalar[0] = scalar[1] * imm[0] + scalar[2] + imm[1], modulo 2^64
   load      reg[0] = imm[2] rows of imm[3] bytes from buffer reg[1], at row scalar[0] + imm[0] and byte
             scalar[1] + imm[1] of a row. What lies past the buffer's last row or a row's last byte reads as 0
   store     the same from reg[0] to the buffer; what lies past its edges is not written
   fetch     as load, but to the scratchpad, at byte scalar[2]
   read      reg[0] = imm[1] bytes of the scratchpad from scalar[0] + imm[0]
   write     the same from reg[0] to the scratchpad
   clear     imm[0] registers from reg[0] on become 0
   table     tables reg[0] of the activations reg[1], [M = imm[0]][K = imm[1]] of type[0]; entries of type[1].
             type[2] = NONE: for every 4 k: T[M][K/4][8], T[i] = (+-a_0 +- a_1) + (+-a_2 - a_3), + where bit
             e of i is 1: half a table, the other half is its negative. type[2] = T3: for every 3 k:
             T[M][K/3][16], T[v] = (d_0 a_0 + d_1 a_1) + d_2 a_2 for v = sum of 3^e d_e, d_e in -1, 0, 1,
             0 <= v <= 13; entries 14 and 15 are 0. Integer entries saturate; float sums round to nearest even
             after each addition, in the table's type
   multiply  reg[0] = D[M][N] of type[3] = C[M][N] (reg[3]) of type[2] + the sums that the tables T (reg[1],
             entries of type[0]) and the weights W (reg[2]) of type[1] stand for; M, N, K = imm[0..2]. For
             every group of k, ascending, for every plane p, ascending: C += 2^p * (s ? -T[m][group][i] :
             T[m][group][i]). W of I1..I4: nibbles [plane][K/4][N], the even n in the low half of a byte;
             i = bits 0..2, s = bit 3. W of T3: nibbles i [K/3][N], then bits s [K/3][N], the lowest n in the
             lowest bit
   correct   planes to weights: the i32 sums P[M][N] in reg[0] become (P - (2z + 1 - 2^imm[2]) * S) / 2, or
   where type[1] is I32 twice that, without the division; with the sums S of activations i32 [M] in reg[1],
   and zero points z[N] of type[0] (U8 or I32) in reg[2], or z = imm[3] where type[0] is NONE. M, N =
   imm[0..1]; 1 <= imm[2] <= 8 bits of a weight scale     f32 Y[M][N] (reg[0]) += P[M][N] (reg[1], of type[0]:
   I32, F16, F32) * (step[M] * scale[N]): steps f32 in reg[2] where type[2] is F32, else 1 (type[2] NONE);
   scales of type[1] (F16, BF16, F32, E8M0) in reg[3]. M, N = imm[0..1]. Where imm[2] is 1, not 0, steps are
   halved first. Each operation rounds to nearest even

   add       f32 Y[M][N] (reg[0]) += f32 E (reg[1]): E[M][N], E[N] or E[1] as imm[2] says, an lmma_spread.
   M, N = imm[0..1]

   times     the same, *=

   convert   reg[0] = f32 Y[M][N] (reg[1]) in type[0], to nearest even: F16 and BF16 (overflow: infinity; a
   NaN is quiet), I8 (clamped to -127 .. 127; NaN: 0). M, N = imm[0..1]

   shift     f32 Y[M][N] (reg[0]) += (S[M] * step[M]) * minimum[N]: sums of activations S, i32, in reg[1],
   steps, f32, in reg[2], minimums of type[0] (F16, BF16, F32) in reg[3]. M, N = imm[0..1]. Each operation
   rounds to nearest even */
typedef struct lmma_instruction {
  uint8_t opcode;
  uint8_t type[4];
  uint8_t scalar[3];
  uint16_t reg[4];
  int32_t imm[4];
} lmma_instruction;

/* Legal shapes: M and N powers of two, M <= 64, 8 <= N <= 256; K a multiple of 4 (T3: of 3) up to 128.
   Legal types: table: I8 to I8 or I16, I16 to I16, F8 to F8 or F16, F16 to F16.
   multiply: A = I8, I16 with C = D = I32; A = F8, F16 with C = F16 or F32 and D = C, or D = F16. */

/* ---- Status ---- */

typedef enum lmma_status {
  LMMA_OK = 0,
  /* found by lmma_check */
  LMMA_TRUNCATED,     /* fewer bytes than the header and its instructions, or more */
  LMMA_NOT_A_PROGRAM, /* another magic */
  LMMA_WRONG_VERSION,
  LMMA_BAD_CHECKSUM,
  LMMA_BAD_HEADER, /* a size is above its limit or 0 where it may not be, or a reserved field is not 0 */
  LMMA_BAD_OPCODE,
  LMMA_BAD_FIELD,    /* a field that the opcode does not use is not 0 */
  LMMA_BAD_TYPE,     /* the opcode does not take this combination of types */
  LMMA_BAD_SHAPE,    /* not a legal shape */
  LMMA_BAD_REGISTER, /* a fragment ends past the program's registers, or overlaps one that is written */
  LMMA_BAD_SCALAR,   /* there is none of this number, or s31 is written */
  LMMA_BAD_LOOP, /* end without loop, loop without end, too deep, or its counter is in use or is written */
  LMMA_BAD_EXIT, /* no exit at the end, or one before it */
  /* found by lmma_check and lmma_run */
  LMMA_BAD_BUFFER, /* the program or the launch has no such buffer, or a null one that is not empty */
  /* found while running */
  LMMA_BAD_ADDRESS,     /* a negative row or byte, or one past the scratchpad */
  LMMA_READ_ONLY,       /* a store to a buffer that is not writable */
  LMMA_ENDLESS,         /* a warp ran more instructions than the launch allows */
  LMMA_DIVERGED,        /* warps of a block wait at different barriers, or one has ended */
  LMMA_SMALL_WORKSPACE, /* see lmma_workspace_bytes; or it is not aligned */
  LMMA_STATUSES
} lmma_status;

/* One lower-case sentence; never null. */
const char *lmma_status_string(lmma_status status);

/* Where a program failed. `instruction` is its index; block and warp are of the run. All 0 where none did. */
typedef struct lmma_fault {
  lmma_status status;
  size_t instruction, block_column, block_row, warp;
} lmma_fault;

/* ---- Check and run ---- */

/* Checks all that can be known without running. `fault` may be null. */
lmma_status lmma_check(const void *program, size_t bytes, lmma_fault *fault);

/* FNV-1a 64 of the program with the checksum field as 0. `program` has at least a header. */
uint64_t lmma_checksum(const void *program, size_t bytes);

/* Rows of bytes, `stride` bytes apart, that belong to the caller. */
typedef struct lmma_buffer {
  void *data;
  size_t rows, row_bytes, stride;
  int writable;
} lmma_buffer;

typedef struct lmma_launch {
  const lmma_buffer *buffers;
  size_t buffer_count;
  size_t tokens;                   /* m: the grid has ceil(m / tile_m) block rows */
  size_t column_begin, column_end; /* block columns to run */
  uint64_t instruction_limit;      /* of each warp of a block, skipped ones included; 0: 2^32 */
  /* 1: multiply with F16 tables and C = D = F16 adds as the published RTL does: subnormals are 0, 2^p is p
     added to the exponent's field without regard to zero or overflow. */
  int rtl_compatible;
  void *workspace; /* at a multiple of 64 bytes */
  size_t workspace_bytes;
} lmma_launch;

/* What a run did; added to what was there. */
typedef struct lmma_counters {
  uint64_t instructions;    /* of all warps */
  uint64_t array_cycles;    /* of multiply: ceil(M/2) * ceil(N/64) * groups * planes, T3 one plane */
  uint64_t lookups;         /* of multiply: M * N * groups * planes */
  uint64_t table_entries;   /* that were made: 8 for each table of 4 k, 16 for one of 3 */
  uint64_t table_additions; /* 12 and 10 */
  uint64_t memory_read, memory_written, scratchpad_read, scratchpad_written; /* bytes inside buffers */
  uint64_t registers; /* bytes of the fragments that instructions name */
  uint64_t barriers;  /* that blocks have passed */
} lmma_counters;

/* Registers of all warps and the scratchpad of one block. `program` has passed lmma_check. */
size_t lmma_workspace_bytes(const void *program);

/* Runs a program that has passed lmma_check: blocks by column, then row. On a fault, blocks that have ended
   have written their results. `counters` and `fault` may be null. */
lmma_status lmma_run(const void *program, const lmma_launch *launch, lmma_counters *counters,
                     lmma_fault *fault);

#ifdef __cplusplus
}
#endif
#endif
