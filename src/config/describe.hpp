// The one list of an options struct, bound to an instance: key, type, default, rule, meaning, and how
// to set and get the value.
//
// An options struct is an aggregate with
//
//   static constexpr const char* section = "hmot";
//   static constexpr const char* about = "joint clustering and differentiation map";
//   static void describe(auto& field) {
//     field("rank", &HmOtOptions::rank, "types per slice", rules::at_least(1));
//     field.later("bootstrap", "bootstrap replicates");  // known, not offered by this version
//   }
//
// Keys may be dotted ("fix.labels"). A map is an open table: the keys below it are the user's, but for
// those that are described as keys of their own ("mask.mode").
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "config/codec.hpp"

namespace thalweg::config {

/// One key of a section.
struct Field {
  std::string key;  ///< with its section: "hmot.fix.labels"
  std::string meaning;
  Rule rule = {};
  std::string type = {};
  Value default_value = {};
  bool is_later = false;  ///< key or whole table of a later version
  bool is_open_table = false;
  bool is_given = false;  ///< set by the reader
  std::function<bool(const Value&, Problems&)> assign = {};
  std::function<Value()> current = {};
};

/// Several structs may describe one table, each as a part of its own.
struct Section {
  std::string name;  ///< of the table; "" for the keys outside any table
  std::string part;  ///< what commands call it: the table's name, or that of a part of the table
  std::string about;
  std::vector<Field> fields;
};

/// What `Options::describe` calls; fills a section.
template <class Options>
class FieldList {
 public:
  FieldList(Options& options, Section& section) : options_(options), section_(section) {}

  template <class Member>
  void operator()(const char* key, Member Options::*member, const char* meaning, const Rule& rule = {}) {
    Options& options = options_;
    const std::string name = full_name(key);
    Field field{.key = name, .meaning = meaning, .rule = rule};
    field.type = type_text(options.*member, rule);
    field.default_value = encode(Options{}.*member, rule);
    field.is_open_table = std::is_same_v<Member, TextMap> || std::is_same_v<Member, ListMap>;
    field.assign = [&options, member, name, rule](const Value& value, Problems& problems) {
      return decode(value, {name, rule}, options.*member, problems);
    };
    field.current = [&options, member, rule] { return encode(options.*member, rule); };
    section_.fields.push_back(std::move(field));
  }

  void later(const char* key, const char* meaning) {
    section_.fields.push_back({.key = full_name(key), .meaning = meaning, .is_later = true});
  }

 private:
  std::string full_name(const char* key) const { return section_.name.empty() ? key : section_.name + "." + key; }

  Options& options_;
  Section& section_;
};

/// The section of `options`, which must outlive it. `name` replaces the struct's own section name, as
/// for [source] and [target], which share a struct; `part` tells structs of one table apart.
template <class Options>
Section describe(Options& options, const std::string& name = Options::section, const std::string& part = {}) {
  Section section{.name = name, .part = part.empty() ? name : part, .about = Options::about, .fields = {}};
  FieldList<Options> list(options, section);
  Options::describe(list);
  return section;
}

}  // namespace thalweg::config
