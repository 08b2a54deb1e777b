#include "io/plots/palette.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace thalweg {

namespace {

/// Chosen by annealing: lightness evenly spaced in [0.36, 0.86] of Oklab, chroma at most 0.17, hues that
/// maximise the least distance; ordered so that each colour is far from all before it.
constexpr std::array<Rgb, 20> kCategories{
    {{0x1c, 0x5b, 0xbf}, {0xd2, 0xd0, 0x2c}, {0xe3, 0x7b, 0xd6}, {0x8b, 0x00, 0x47}, {0x00, 0xc1, 0xf4},
     {0x33, 0xa0, 0x3d}, {0xea, 0x6d, 0x31}, {0x8c, 0x5d, 0x00}, {0x00, 0xd8, 0x9a}, {0xa4, 0x4e, 0xb2},
     {0x68, 0x85, 0xf5}, {0xd8, 0xc6, 0xff}, {0xbe, 0x38, 0x48}, {0x00, 0x6c, 0x3c}, {0x6b, 0x2d, 0x99},
     {0x52, 0x37, 0x00}, {0x00, 0x90, 0x9b}, {0xb7, 0x9f, 0x00}, {0xff, 0xa6, 0x8a}, {0x00, 0x49, 0x6d}}};

constexpr Rgb kInk{0x1a, 0x1a, 0x1a};

std::uint8_t to_byte(double channel) {
  return static_cast<std::uint8_t>(std::lround(255.0 * std::clamp(channel, 0.0, 1.0)));
}

double gamma_encoded(double linear) {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1.0 / 2.4) - 0.055;
}

double gamma_decoded(double encoded) {
  return encoded <= 0.04045 ? encoded / 12.92 : std::pow((encoded + 0.055) / 1.055, 2.4);
}

/// Source: Ottosson (2020), A perceptual color space for image processing (Oklab).
Rgb oklch(double lightness, double chroma, double hue_degrees) {
  const double hue = hue_degrees * std::numbers::pi / 180.0;
  const double a = chroma * std::cos(hue), b = chroma * std::sin(hue);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {to_byte(gamma_encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s)),
          to_byte(gamma_encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s)),
          to_byte(gamma_encoded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s))};
}

Rgb mixed(Rgb from, Rgb to, double share) {
  const auto channel = [share](std::uint8_t x, std::uint8_t y) {
    return to_byte(((1.0 - share) * x + share * y) / 255.0);
  };
  return {channel(from.red, to.red), channel(from.green, to.green), channel(from.blue, to.blue)};
}

double contrast(Rgb a, Rgb b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::string hex(Rgb color) {
  constexpr const char* digits = "0123456789abcdef";
  std::string out = "#";
  for (const std::uint8_t channel : {color.red, color.green, color.blue}) {
    out += digits[channel >> 4];
    out += digits[channel & 15];
  }
  return out;
}

Rgb parse_color(std::string_view text, Rgb fallback) {
  if (text.empty() || text[0] != '#' || (text.size() != 4 && text.size() != 7 && text.size() != 9)) return fallback;
  if (std::any_of(text.begin() + 1, text.end(), [](char c) { return hex_digit(c) < 0; })) return fallback;
  const auto channel = [text](std::size_t k) {
    if (text.size() == 4) return static_cast<std::uint8_t>(17 * hex_digit(text[1 + k]));
    return static_cast<std::uint8_t>(16 * hex_digit(text[1 + 2 * k]) + hex_digit(text[2 + 2 * k]));
  };
  return {channel(0), channel(1), channel(2)};
}

Rgb categorical_color(int index) {
  const auto count = static_cast<int>(kCategories.size());
  const Rgb base = kCategories[static_cast<std::size_t>(index % count)];
  switch (index / count % 4) {
    case 0:
      return base;
    case 1:
      return lightened(base, 0.4);
    case 2:
      return darkened(base, 0.4);
    default:
      return mixed(base, {0x80, 0x80, 0x80}, 0.55);
  }
}

Rgb sequential_color(double t) {
  t = std::isfinite(t) ? std::clamp(t, 0.0, 1.0) : 0.0;
  const double chroma = 0.012 + 0.33 * t * (1.0 - t) + 0.05 * t;
  return oklch(0.975 - 0.665 * t, chroma, 190.0 + 75.0 * t);
}

Rgb diverging_color(double t) {
  t = std::isfinite(t) ? std::clamp(t, -1.0, 1.0) : 0.0;
  const double distance = std::abs(t);
  return oklch(0.88 - 0.42 * distance, 0.145 * distance, t < 0.0 ? 255.0 : 28.0);
}

Rgb lightened(Rgb color, double share) { return mixed(color, {0xff, 0xff, 0xff}, share); }

Rgb darkened(Rgb color, double share) { return mixed(color, {0, 0, 0}, share); }

Rgb coarse_color(Rgb color) {
  const auto step = [](std::uint8_t channel) { return static_cast<std::uint8_t>(17 * ((channel + 8) / 17)); };
  return {step(color.red), step(color.green), step(color.blue)};
}

double luminance(Rgb color) {
  return 0.2126 * gamma_decoded(color.red / 255.0) + 0.7152 * gamma_decoded(color.green / 255.0) +
         0.0722 * gamma_decoded(color.blue / 255.0);
}

Rgb text_color(Rgb ground) {
  constexpr Rgb white{0xff, 0xff, 0xff};
  return contrast(ground, white) > contrast(ground, kInk) ? white : kInk;
}

}  // namespace thalweg
