// Small text files and folders.
#pragma once

#include <string>
#include <string_view>

namespace thalweg {

/// Writes a file that appears whole or not at all: written as `path`.tmp, synchronised with the disk,
/// renamed. For one rank. Throws IoError with the path and the reason.
void write_text_file(const std::string& path, std::string_view text);

/// The whole file. Throws DataError when there is no readable file of that path, IoError when the disk fails.
std::string read_text_file(const std::string& path);

/// `text` for use within a file name: slashes, control characters and % as %2F and the like, so that different texts
/// stay different.
std::string as_file_name(std::string_view text);

/// Makes a folder and those above it that do not exist yet. Throws IoError with the path and the reason.
void make_directories(const std::string& path);

}  // namespace thalweg
