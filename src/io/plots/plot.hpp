// What every plotting function returns: the picture and the numbers in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace thalweg {

/// Rows of text cells below a header; missing values are empty.
struct PlotTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;

  /// Tab-separated text with a header line, cells quoted as those of `Table`; bytes that are not UTF-8 become the
  /// replacement character.
  std::string tsv() const;
};

/// A picture (`plots/NAME.svg`) with exactly the plotted numbers (`tables/NAME.tsv`).
struct Plot {
  std::string svg;
  PlotTable table;
};

/// Shortest text that reads back as the same number; empty where it is not finite.
std::string table_cell(double value);
std::string table_cell(std::int64_t value);

/// "1e-07" as "1e-7", "1e+07" as "1e7"; other numbers unchanged.
std::string short_exponent(std::string number);

/// `value` with `digits` significant digits, for captions and tooltips: "0.0123", "1.5e-7"; "n/a" if not finite.
std::string significant(double value, int digits = 3);

/// An integer with thin spaces between groups of three digits.
std::string grouped(std::int64_t value);

}  // namespace thalweg
