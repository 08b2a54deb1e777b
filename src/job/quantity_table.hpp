// Tables with one quantity a row.
#pragma once

#include <string>
#include <utility>

#include "io/table.hpp"

namespace thalweg {

class QuantityTable {
 public:
  void add(const std::string& quantity, TableCell value, const std::string& meaning) {
    table_.add_row({quantity, std::move(value), meaning});
  }
  Table table() && { return std::move(table_); }

 private:
  Table table_{{"quantity", "value", "meaning"}};
};

}  // namespace thalweg
