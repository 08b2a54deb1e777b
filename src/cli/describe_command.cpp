#include <iostream>

#include "cli/commands.hpp"
#include "config/reference.hpp"
#include "core/closest_name.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

std::string one_section(const std::vector<config::Section>& sections, const std::string& name) {
  std::vector<std::string> names, texts;
  for (const config::Section& section : sections) {
    if (section.name == name) texts.push_back(config::plain_reference(section));
    if (!section.name.empty() && section.part == section.name) names.push_back(section.name);
  }
  if (!texts.empty()) return join(texts, "\n");
  throw ConfigError("unknown section '" + name + "'; " + suggestion(name, names));
}

std::string all_sections(const std::vector<config::Section>& sections) {
  std::vector<std::string> texts;
  for (const config::Section& section : sections) texts.push_back(config::plain_reference(section));
  return join(texts, "\n");
}

}  // namespace

int run_describe(const Communicator& comm, const JobContext& context) {
  Job defaults;
  const std::vector<config::Section> sections = sections_of(defaults);
  std::string text;
  if (context.arguments.markdown) text = config::markdown_reference(sections);
  else if (context.arguments.target.empty()) text = all_sections(sections);
  else text = one_section(sections, context.arguments.target);
  if (comm.is_root()) std::cout << text << std::flush;
  return 0;
}

}  // namespace thalweg
