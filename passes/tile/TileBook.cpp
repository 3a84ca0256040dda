// Vectors of a code book to bytes (layout book of runtime/kernel.h), and the multiples that lie beside them.
#include "mlir/IR/BuiltinOps.h"
#include "passes/tile/TileSums.h"
#include "runtime/book.h"

using namespace mlir;
using namespace lut;

namespace {
/// Of one row vector of a chunk, whose rows are lanes.
struct BookUnpacker {
  Emitter &e;
  const Body &g;
  const FormatRow &row = *g.format.row;
  const lutc_book &book = *row.vectors;
  int64_t V = g.vectorBytes, lanes = V / 4, planes = lutc_book_vectors(&book) / 4;
  VectorType bytes = e.vec(V, e.i8()), ints = e.vec(lanes, e.i32());

  bool hasSigns() const { return lutc_book_has_signs(&book); }
  Value field(Value word, int64_t at, int64_t bits) {
    return e.bitAnd(e.shiftRight(word, at), (1 << bits) - 1);
  }
  Value rest(Value chunk);
  Value signs(Value chunk);
  Value table();
  Value number(ArrayRef<Value> low, Value rest, int64_t vector);
  Value gather(Value table, Value numbers);
  bool areInRegisters();
  int64_t entry(int64_t digit) const;
  Value numberBytes(Value rest, int64_t plane);
  Value digitBytes(Value low, Value high, int64_t half);
  Values quadsInRegisters(ArrayRef<Value> low, Value rest);
  Values quadsInMemory(ArrayRef<Value> low, Value rest);
  Value code(Value entries, Value signs, Value rest, int64_t quad);
  void rowVector(Value chunk, Value codes, int64_t stride);
  void multiples(Value chunk, Value to);
};
} // namespace

/// The rest as 32-bit lanes; null: there is none.
Value BookUnpacker::rest(Value chunk) {
  int64_t size = lutc_book_rest_bytes(&book, g.format.subgroup);
  Value behind = e.at(chunk, (planes + hasSigns()) * V);
  if (size)
    return arith::ExtUIOp::create(e.b, e.loc, ints,
                                  e.load(e.vec(lanes, e.b.getIntegerType(8 * size)), behind));
  Value word = e.load(ints, e.at(chunk, planes * V)), rest;
  for (int64_t i = 0; i < 4; ++i) {
    Value bit = e.bitAnd(e.shiftRight(word, lutc_book_spare_bit(i) - i), 1 << i);
    rest = rest ? arith::OrIOp::create(e.b, e.loc, rest, bit).getResult() : bit;
  }
  return rest;
}

/// Bit q of a byte is the sign of its k in quad q. Of eight even signs the last is the sum of the others.
Value BookUnpacker::signs(Value chunk) {
  if (!hasSigns())
    return {};
  Value word = e.load(ints, e.at(chunk, planes * V));
  if (book.signs == LUTC_SIGNS_EACH)
    return e.bitcast(word, bytes);
  Value stored = e.bitAnd(word, 0x55ffffff), sum = stored;
  for (int64_t shift : {16, 8, 1})
    sum = e.bitXor(sum, e.shiftRight(sum, shift));
  Value last = e.shiftLeft(e.bitAnd(sum, 0x55), lutc_book_spare_bit(0));
  return e.bitcast(arith::OrIOp::create(e.b, e.loc, stored, last), bytes);
}

/// A magnitude, or a value without its shift less the smallest.
int64_t BookUnpacker::entry(int64_t digit) const {
  return hasSigns() ? row.book[int64_t(book.levels) + digit] : row.book[2 * digit] - row.offset;
}

/// The entries of vectors.
Value BookUnpacker::table() {
  auto module = e.b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  std::string name = ("book_" + row.name).str(), entries;
  auto global = module.lookupSymbol<LLVM::GlobalOp>(name);
  if (!global) {
    for (size_t i = 0; i < book.count * book.length; ++i)
      entries += char(entry(book.digits[i]));
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(module.getBody());
    auto type = LLVM::LLVMArrayType::get(e.i8(), entries.size());
    global = LLVM::GlobalOp::create(e.b, e.loc, type, /*isConstant=*/true, LLVM::Linkage::Private, name,
                                    e.b.getStringAttr(entries), /*alignment=*/64);
  }
  return LLVM::AddressOfOp::create(e.b, e.loc, global);
}

Value BookUnpacker::number(ArrayRef<Value> low, Value rest, int64_t vector) {
  Value number = field(low[vector / 4], vector % 4 * 8, 8);
  int64_t bits = lutc_book_high_bits(&book);
  if (!bits)
    return number;
  Value high = e.shiftLeft(field(rest, vector * bits, bits), 8);
  return arith::OrIOp::create(e.b, e.loc, number, high);
}

/// The entries of a vector of each row, as lanes of their size.
Value BookUnpacker::gather(Value table, Value numbers) {
  Type entry = e.b.getIntegerType(8 * book.length);
  Value result = e.constant(e.vec(lanes, entry), 0);
  for (int64_t lane = 0; lane < lanes; ++lane) {
    Value number = vector::ExtractOp::create(e.b, e.loc, numbers, lane);
    Value offset =
        e.mul(arith::ExtUIOp::create(e.b, e.loc, e.i64(), number).getResult(), int64_t(book.length));
    result = vector::InsertOp::create(e.b, e.loc, e.load(entry, e.at(table, offset)), result, lane);
  }
  return result;
}

/// Of the eight quads of a chunk, for each four lanes that a number finds in memory.
Values BookUnpacker::quadsInMemory(ArrayRef<Value> low, Value rest) {
  Values quads;
  Value table = this->table();
  for (int64_t vector = 0; vector < int64_t(lutc_book_vectors(&book)); ++vector) {
    Value entries = gather(table, number(low, rest, vector));
    if (book.length == 8) {
      quads.push_back(arith::TruncIOp::create(e.b, e.loc, ints, entries));
      entries = arith::TruncIOp::create(e.b, e.loc, ints, e.shiftRight(entries, 32));
    }
    quads.push_back(entries);
  }
  return quads;
}

/// Whether lookups of registers reach 128 entries, a byte of each vector of all rows.
bool BookUnpacker::areInRegisters() {
  return V == 64 && findTarget(e.b.getInsertionBlock()->getParentOp()).getPermute2Bytes() >= 128;
}

/// The numbers of four vectors of a row above their lower eight bits, a byte each; null: there are none.
Value BookUnpacker::numberBytes(Value rest, int64_t plane) {
  int64_t bits = lutc_book_high_bits(&book);
  Value all;
  for (int64_t i = 0; bits && i < 4; ++i) {
    Value high = e.shiftLeft(field(rest, (4 * plane + i) * bits, bits), 8 * i);
    all = all ? arith::OrIOp::create(e.b, e.loc, all, high).getResult() : high;
  }
  return all ? e.bitcast(all, bytes) : Value();
}

/// Half of the digits of the vectors with these numbers: four of two bits, or two of a nibble.
Value BookUnpacker::digitBytes(Value low, Value high, int64_t half) {
  int64_t count = book.length / 2, width = 8 / count;
  Values found;
  for (size_t first = 0; first < book.count; first += 128) {
    SmallVector<int64_t> entries;
    for (size_t i = first; i < first + 128; ++i) {
      int64_t packed = 0;
      for (int64_t place = 0; place < count; ++place)
        packed |= int64_t(book.digits[i * book.length + half * count + place]) << width * place;
      entries.push_back(int8_t(packed));
    }
    Value table = e.constantVector(e.vec(128, e.i8()), entries);
    found.push_back(LookupOp::create(e.b, e.loc, table, low, 128));
  }
  for (int64_t bit = 7; found.size() > 1; ++bit) {
    Value word = bit == 7 ? low : high;
    Value mask = e.bitAnd(word, bit == 7 ? -128 : int64_t(1) << (bit - 8));
    Value set = e.compare(arith::CmpIPredicate::ne, mask, e.constant(bytes, 0));
    Values rest;
    for (size_t i = 0; i < found.size(); i += 2)
      rest.push_back(e.select(set, found[i + 1], found[i]));
    found = rest;
  }
  return e.bitcast(found[0], ints);
}

/// The same by lookups of bytes, whose digits are spread over the bytes of a lane.
Values BookUnpacker::quadsInRegisters(ArrayRef<Value> low, Value rest) {
  Values quads;
  SmallVector<int64_t> levels(16);
  for (int64_t digit = 0; digit < int64_t(book.levels); ++digit)
    levels[digit] = entry(digit);
  Value table = e.constantVector(e.vec(16, e.i8()), levels);
  auto add = [&](Value joined, int64_t shift, int64_t mask) {
    Value digits = e.bitAnd(arith::OrIOp::create(e.b, e.loc, joined, e.shiftLeft(joined, shift)), mask);
    quads.push_back(LookupOp::create(e.b, e.loc, table, e.bitcast(digits, bytes), 16));
  };
  for (int64_t p = 0; p < planes; ++p) {
    Value numbers = e.bitcast(low[p], bytes), high = numberBytes(rest, p);
    Value halves[] = {digitBytes(numbers, high, 0), digitBytes(numbers, high, 1)};
    for (int64_t i = 0; i < 4; ++i) {
      Value parts[] = {field(halves[0], 8 * i, 8), field(halves[1], 8 * i, 8)};
      if (book.length == 4) {
        add(arith::OrIOp::create(e.b, e.loc, parts[0], e.shiftLeft(parts[1], 16)), 4, 0x07070707);
        continue;
      }
      for (Value part : parts)
        add(arith::OrIOp::create(e.b, e.loc, part, e.shiftLeft(part, 12)), 6, 0x03030303);
    }
  }
  return quads;
}

/// What the weights of a quad stand for, less the smallest value.
Value BookUnpacker::code(Value entries, Value signs, Value rest, int64_t quad) {
  if (signs) {
    Value most = e.constant(bytes, -row.offset), zero = e.constant(bytes, 0);
    Value minus = e.compare(arith::CmpIPredicate::ne, e.bitAnd(signs, int64_t(int8_t(1 << quad))), zero);
    return e.select(minus, e.sub(most, entries), e.add(most, entries));
  }
  int64_t at = lutc_book_shift_at(&book) + (book.signs == LUTC_SHIFT_OF_8 ? quad / 2 : 0);
  int64_t shift = row.book[1] - row.book[0];
  Value all = e.sub(e.constant(ints, 0), field(rest, at, 1));
  return e.add(entries, e.bitcast(e.bitAnd(all, 0x01010101 * shift), bytes));
}

/// Quad q goes to codes + q * stride.
void BookUnpacker::rowVector(Value chunk, Value codes, int64_t stride) {
  Value rest = this->rest(chunk), signs = this->signs(chunk);
  Values low;
  for (int64_t p = 0; p < planes; ++p)
    low.push_back(e.load(ints, e.at(chunk, p * V)));
  for (auto [quad, entries] :
       llvm::enumerate(areInRegisters() ? quadsInRegisters(low, rest) : quadsInMemory(low, rest)))
    e.store(code(e.bitcast(entries, bytes), signs, rest, quad), e.at(codes, quad * stride), V);
}

/// Those of the rows, which are odd.
void BookUnpacker::multiples(Value chunk, Value to) {
  Value stored =
      field(rest(chunk), lutc_book_multiple_at(&book), lutc_book_multiple_bits(&book, g.format.subgroup));
  Value odd = e.add(e.shiftLeft(stored, 1), 1);
  e.store(arith::TruncIOp::create(e.b, e.loc, e.vec(lanes, e.i8()), odd), to);
}

void lut::unpackBookChunk(Emitter &e, const Body &g, Value chunk, Value codes) {
  BookUnpacker unpacker{e, g};
  e.each(e.index(g.stepVectors), [&](Value r) {
    unpacker.rowVector(e.at(chunk, e.mul(r, g.planes * unpacker.lanes)), e.at(codes, e.mul(r, g.vectorBytes)),
                       g.stepVectors * g.vectorBytes);
  });
}

void lut::emitBookMultiples(Emitter &e, const Body &g, Value span, Value multiples) {
  BookUnpacker unpacker{e, g};
  e.each(e.index(g.span / g.chunkK * g.rowVectors), [&](Value i) {
    unpacker.multiples(e.at(span, e.mul(i, g.planes * unpacker.lanes)),
                       e.at(multiples, e.mul(i, unpacker.lanes)));
  });
}
