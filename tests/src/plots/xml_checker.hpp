// A small check that text is well-formed XML.
#pragma once

#include <string>
#include <string_view>

namespace thalweg::test {

/// Empty if `xml` is one well-formed element tree (after an optional declaration), else what is wrong.
std::string xml_error(std::string_view xml);

/// Number of places where `part` occurs in `text`.
int occurrences(std::string_view text, std::string_view part);

}  // namespace thalweg::test
