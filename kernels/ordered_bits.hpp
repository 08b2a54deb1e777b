// Bits of floating-point numbers as integers in the same order.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace thalweg {

template <class Scalar>
using BitsOf = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;

/// Increases with the value: negative numbers have all bits flipped, others the sign bit.
template <class Scalar>
constexpr BitsOf<Scalar> ordered_bits(Scalar value) {
  constexpr BitsOf<Scalar> sign = BitsOf<Scalar>(1) << (8 * sizeof(Scalar) - 1);
  const auto bits = std::bit_cast<BitsOf<Scalar>>(value);
  return bits & sign ? ~bits : bits | sign;
}

template <class Scalar>
constexpr Scalar value_of_ordered_bits(BitsOf<Scalar> bits) {
  constexpr BitsOf<Scalar> sign = BitsOf<Scalar>(1) << (8 * sizeof(Scalar) - 1);
  return std::bit_cast<Scalar>(bits & sign ? static_cast<BitsOf<Scalar>>(bits ^ sign)
                                           : static_cast<BitsOf<Scalar>>(~bits));
}

/// One step of the selection of an order statistic by its ordered bits.
struct RadixDigit {
  int shift = 0;  // the digit is (bits >> shift) & (2^width - 1)
  int width = 11;
  std::uint64_t prefix = 0;  // counted are values whose higher bits are these

  constexpr bool matches(std::uint64_t bits) const { return bits >> shift >> width == prefix; }
  constexpr std::uint64_t digit(std::uint64_t bits) const { return bits >> shift & ((std::uint64_t{1} << width) - 1); }
  constexpr std::int64_t num_digits() const { return std::int64_t{1} << width; }
};

}  // namespace thalweg
