// The keys as text for people: `thalweg describe` and docs/reference.md.
#pragma once

#include <string>
#include <vector>

#include "config/describe.hpp"

namespace thalweg::config {

/// Every key of a section: type, default, rule, meaning, in plain text.
std::string plain_reference(const Section& section);

/// All sections as the document docs/reference.md.
std::string markdown_reference(const std::vector<Section>& sections);

}  // namespace thalweg::config
