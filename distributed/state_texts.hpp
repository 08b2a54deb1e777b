// Texts in the state of a solver, whose arrays hold numbers.
#pragma once

#include <string>
#include <vector>

#include "distributed/state_visitor.hpp"

namespace thalweg {

/// Lists texts as the codes of their characters.
inline void visit_texts(StateVisitor& v, const std::string& name, std::vector<std::string>& texts) {
  std::size_t count = texts.size();
  v.scalar(name + "_count", count);
  texts.resize(count);
  std::vector<std::vector<double>> codes(count);
  std::vector<std::vector<double>*> vectors;
  for (std::size_t k = 0; k < count; ++k) {
    for (const char character : texts[k]) codes[k].push_back(static_cast<double>(character));
    vectors.push_back(&codes[k]);
  }
  v.ragged(name, vectors);
  for (std::size_t k = 0; k < count; ++k) {
    texts[k].clear();
    for (const double code : codes[k]) texts[k].push_back(static_cast<char>(code));
  }
}

}  // namespace thalweg
