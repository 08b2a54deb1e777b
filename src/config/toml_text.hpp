// Settings as TOML and JSON text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "config/value.hpp"

namespace thalweg::config {

/// The value as it stands to the right of an equals sign.
std::string toml_value_text(const Value& value);
/// A key, quoted where TOML asks for it.
std::string toml_key_text(std::string_view key);
/// A whole document: plain keys first, then every table under its [header].
std::string toml_document(const Table& table);

/// Keys keep their order. Numbers that are not finite become null.
nlohmann::ordered_json to_json(const Value& value);

}  // namespace thalweg::config
