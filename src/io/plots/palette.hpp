// Colours: a categorical palette, a sequential and a diverging map, text on a coloured ground.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace thalweg {

/// A colour of the sRGB space, 8 bits a channel.
struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Rgb&) const = default;
};

/// "#rrggbb".
std::string hex(Rgb color);

/// Reads "#rgb", "#rrggbb" or "#rrggbbaa" (alpha dropped); `fallback` for anything else.
Rgb parse_color(std::string_view text, Rgb fallback);

/// Colour of category `index` >= 0: 20 colours, all of different lightness (in grey print too), the first
/// ones farthest apart; later rounds of 20 are lighter, darker and greyer versions.
Rgb categorical_color(int index);

/// Perceptually uniform map for t in [0, 1]: near white to dark blue, lightness linear in t (Oklab).
Rgb sequential_color(double t);

/// Diverging map for t in [-1, 1], centred at 0: blue, light grey, red; lightness linear in |t| (Oklab).
Rgb diverging_color(double t);

/// `color` mixed with white; share 0 leaves it, 1 gives white.
Rgb lightened(Rgb color, double share);

/// `color` mixed with black; share 0 leaves it, 1 gives black.
Rgb darkened(Rgb color, double share);

/// The channels in 16 steps, so that shapes of nearly the same colour share paths.
Rgb coarse_color(Rgb color);

/// Relative luminance of WCAG 2.1, 0 black to 1 white.
double luminance(Rgb color);

/// Near-black or white, whichever has the higher contrast (WCAG 2.1) on the ground.
Rgb text_color(Rgb ground);

}  // namespace thalweg
