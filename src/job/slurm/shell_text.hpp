// Words of shells and of #SBATCH lines.
#pragma once

#include <string>
#include <vector>

namespace thalweg {

/// `text` as one word of a shell: as it is where nothing in it is special, else in single quotes.
std::string shell_word(const std::string& text);

/// The words of a command, quoted, with spaces between them.
std::string shell_line(const std::vector<std::string>& words);

/// `text` as a value in an #SBATCH line: as it is, or in double quotes.
std::string sbatch_value(const std::string& text);

/// `text` with ? for line breaks and other control characters.
std::string without_control_characters(std::string text);

/// A folder at the beginning of a name of a log, in which Slurm replaces %j and the like.
std::string log_name(const std::string& folder, const std::string& name);

}  // namespace thalweg
