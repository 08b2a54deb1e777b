#include "io/plots/svg.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "io/plots/png.hpp"
#include "io/plots/text.hpp"

namespace thalweg {

namespace {

std::string attribute_text(const SvgAttributes& attributes) {
  std::string out;
  for (const auto& [name, value] : attributes) out += ' ' + name + "=\"" + escape_xml(value) + '"';
  return out;
}

std::string title_element(std::string_view tooltip) {
  return tooltip.empty() ? std::string() : "<title>" + escape_xml(tooltip) + "</title>";
}

SvgAttributes joined(SvgAttributes first, const SvgAttributes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

std::string svg_number(double value) {
  if (!std::isfinite(value)) return "0";
  value = std::clamp(value, -1e9, 1e9);
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, 2);
  std::string out(buffer, result.ptr);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

SvgPath& SvgPath::move_to(double x, double y) {
  data_ += 'M' + svg_number(x) + ' ' + svg_number(y);
  x_ = x, y_ = y;
  return *this;
}

SvgPath& SvgPath::line_to(double x, double y) {
  data_ += 'L' + svg_number(x) + ' ' + svg_number(y);
  x_ = x, y_ = y;
  return *this;
}

SvgPath& SvgPath::flow_to(double x, double y) {
  const std::string middle = svg_number(0.5 * (x_ + x));
  data_ += 'C' + middle + ' ' + svg_number(y_) + ' ' + middle + ' ' + svg_number(y) + ' ' + svg_number(x) + ' ' +
           svg_number(y);
  x_ = x, y_ = y;
  return *this;
}

SvgPath& SvgPath::close() {
  data_ += 'Z';
  return *this;
}

Svg::Svg(double width, double height, std::string_view label) : width_(width), height_(height), label_(label) {}

void Svg::element(std::string_view tag, const SvgAttributes& attributes, std::string_view escaped_content) {
  body_.append("<").append(tag).append(attribute_text(attributes));
  if (escaped_content.empty()) {
    body_ += "/>\n";
  } else {
    body_.append(">").append(escaped_content).append("</").append(tag).append(">\n");
  }
}

void Svg::rect(double x, double y, double width, double height, SvgAttributes attributes, std::string_view tooltip) {
  element("rect", joined({{"x", x}, {"y", y}, {"width", width}, {"height", height}}, attributes),
          title_element(tooltip));
}

void Svg::line(double x1, double y1, double x2, double y2, SvgAttributes attributes) {
  element("line", joined({{"x1", x1}, {"y1", y1}, {"x2", x2}, {"y2", y2}}, attributes), {});
}

void Svg::path(const std::string& data, SvgAttributes attributes, std::string_view tooltip) {
  element("path", joined({{"d", data}}, attributes), title_element(tooltip));
}

void Svg::circle(double x, double y, double radius, SvgAttributes attributes, std::string_view tooltip) {
  element("circle", joined({{"cx", x}, {"cy", y}, {"r", radius}}, attributes), title_element(tooltip));
}

void Svg::text(double x, double y, std::string_view content, const SvgAttributes& attributes,
               std::string_view tooltip) {
  element("text", joined({{"x", x}, {"y", y}}, attributes), title_element(tooltip) + escape_xml(content));
}

void Svg::png(double x, double y, double width, double height, std::string_view png_bytes) {
  element("image",
          {{"x", x},
           {"y", y},
           {"width", width},
           {"height", height},
           {"preserveAspectRatio", "none"},
           {"href", "data:image/png;base64," + base64(png_bytes)}},
          {});
}

void Svg::begin_group(const SvgAttributes& attributes) { body_ += "<g" + attribute_text(attributes) + ">\n"; }

void Svg::end_group() { body_ += "</g>\n"; }

std::string Svg::str() const {
  const std::string width = svg_number(width_), height = svg_number(height_);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height + "\" viewBox=\"0 0 " +
         width + ' ' + height + "\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\"" + " aria-label=\"" +
         escape_xml(label_) + "\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" + body_ + "</svg>\n";
}

}  // namespace thalweg
