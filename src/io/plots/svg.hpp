// A small SVG document: elements in drawing order, numbers in short form, all text escaped.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace thalweg {

/// Shortest text of the number rounded to two decimals ("12.5", "-3", "0"); non-finite numbers give "0".
std::string svg_number(double value);

/// One attribute of an element.
struct SvgAttribute {
  SvgAttribute(std::string_view attribute, double number) : name(attribute), value(svg_number(number)) {}
  SvgAttribute(std::string_view attribute, std::string text) : name(attribute), value(std::move(text)) {}
  SvgAttribute(std::string_view attribute, const char* text) : name(attribute), value(text) {}

  std::string name;
  std::string value;
};

using SvgAttributes = std::vector<SvgAttribute>;

/// Path data, built command by command.
class SvgPath {
 public:
  SvgPath& move_to(double x, double y);
  SvgPath& line_to(double x, double y);
  /// Cubic curve with horizontal tangents at both ends.
  SvgPath& flow_to(double x, double y);
  SvgPath& close();
  const std::string& data() const { return data_; }

 private:
  std::string data_;
  double x_ = 0.0, y_ = 0.0;
};

/// An SVG document of the given size in pixels. Non-empty tooltips become `<title>` children.
/// It uses no ids, so that several documents can stand in one HTML page.
class Svg {
 public:
  /// @param label  what the picture shows, for screen readers
  Svg(double width, double height, std::string_view label);

  void rect(double x, double y, double width, double height, SvgAttributes attributes, std::string_view tooltip = {});
  void line(double x1, double y1, double x2, double y2, SvgAttributes attributes);
  void path(const std::string& data, SvgAttributes attributes, std::string_view tooltip = {});
  void circle(double x, double y, double radius, SvgAttributes attributes, std::string_view tooltip = {});
  /// Text with its baseline at y.
  void text(double x, double y, std::string_view content, const SvgAttributes& attributes,
            std::string_view tooltip = {});
  /// An image given as bytes of a PNG file, stretched to the rectangle.
  void png(double x, double y, double width, double height, std::string_view png_bytes);

  void begin_group(const SvgAttributes& attributes);
  void end_group();

  /// The complete document.
  std::string str() const;

 private:
  void element(std::string_view tag, const SvgAttributes& attributes, std::string_view escaped_content);

  double width_, height_;
  std::string label_;
  std::string body_;
};

}  // namespace thalweg
