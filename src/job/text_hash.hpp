// Hashes of texts and of finished files: XXH3, 64 bits, as 16 hexadecimal digits.
#pragma once

#include <string>
#include <string_view>

namespace thalweg {

std::string text_hash(std::string_view text);

/// Of the content of a file. Throws IoError when it cannot be read.
std::string file_hash(const std::string& path);

}  // namespace thalweg
