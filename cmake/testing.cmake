# thalweg_add_test(NAME x SOURCES .. LINK .. [RANKS 1 2 3 4] LABELS .. [TIMEOUT s] [HOST_ONLY] [LONG])
# In a CUDA build every device test has label gpu too, and target gpu_tests builds those with it. A test whose only label
# is gpu makes no sense without a device and is skipped in a CPU build.
# LONG: solves whole problems for many seconds, or counts memory.
# One executable (its main is tests/support/main.cpp: Runtime, failures of all ranks) and one test a rank count.
file(STRINGS ${PROJECT_SOURCE_DIR}/scripts/launcher.env thalweg_test_environment REGEX "^[A-Z]")

if(THALWEG_ENABLE_SANITIZERS)
  list(APPEND thalweg_test_environment UBSAN_OPTIONS=print_stacktrace=1)
endif()

# THALWEG_SOURCE_DIR and test_data() in a header: quotes in -D do not survive nvcc_wrapper.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/test_paths.hpp @ONLY CONTENT
[[#pragma once
#include <cstdlib>
#include <string>
#define THALWEG_SOURCE_DIR "@PROJECT_SOURCE_DIR@"
/// Folder of golden values: that of the sources, or where these are not, as on another machine, THALWEG_TEST_DATA.
inline std::string test_data() {
  const char* given = std::getenv("THALWEG_TEST_DATA");
  return given ? given : THALWEG_SOURCE_DIR "/tests/golden";
}
]])

# Programs of label gpu: one target, and the list build/<preset>/gpu_tests.txt that scripts/gpu_check.sh reads: name, path,
# numbers of ranks.
add_custom_target(gpu_tests)
# What CI builds and runs under sanitizers, label sanitized: not LONG programs, there ten times as slow, nor those of
# src/job and src/cli, whose compilation takes longest.
add_custom_target(sanitized_tests)
set_property(GLOBAL PROPERTY thalweg_gpu_test_lines "")
function(thalweg_write_gpu_tests)
  get_property(lines GLOBAL PROPERTY thalweg_gpu_test_lines)
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/gpu_tests.txt CONTENT "${lines}")
endfunction()

# Sets the labels and arguments of one test program in the caller's scope.
function(thalweg_note_gpu_test name host_only ranks labels out_labels out_arguments)
  set(arguments "")
  if(labels STREQUAL "gpu")
    set(arguments --needs-device)
  elseif(THALWEG_ENABLE_CUDA AND NOT host_only AND NOT "gpu" IN_LIST labels)
    list(APPEND labels gpu)
  endif()
  if("gpu" IN_LIST labels)
    add_dependencies(gpu_tests ${name})
    set_property(GLOBAL APPEND_STRING PROPERTY thalweg_gpu_test_lines "${name}\t$<TARGET_FILE:${name}>\t${ranks}\n")
  endif()
  set(${out_labels} "${labels}" PARENT_SCOPE)
  set(${out_arguments} "${arguments}" PARENT_SCOPE)
endfunction()

function(thalweg_register_test entry ranks labels timeout)
  if(ranks GREATER 1)
    set(launcher ${MPIEXEC_EXECUTABLE} -n ${ranks})
    set(processors 2)
  else()
    set(launcher "")
    set(processors 1)
  endif()
  set(environment ${thalweg_test_environment})
  if(THALWEG_ENABLE_SANITIZERS AND NOT entry MATCHES "/np1$")
    # What Open MPI's plugins leave behind has no name once they are unloaded; leaks are sought on one rank.
    list(APPEND environment ASAN_OPTIONS=detect_leaks=0)
  endif()
  add_test(NAME ${entry} COMMAND ${launcher} ${ARGN})
  set_tests_properties(${entry} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout}
    PROCESSORS ${processors} SKIP_RETURN_CODE 77 ENVIRONMENT "${environment}")
endfunction()

function(thalweg_add_test)
  cmake_parse_arguments(arg "HOST_ONLY;LONG" "NAME;TIMEOUT" "SOURCES;LINK;RANKS;LABELS" ${ARGN})
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_LINK} thalweg_test_support thalweg_flags)
  thalweg_precompile(${arg_NAME} REUSE_FROM thalweg_test_support)
  thalweg_use_nvcc(${arg_NAME})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT arg_RANKS)
    set(arg_RANKS 1)
  endif()
  thalweg_note_gpu_test(${arg_NAME} "${arg_HOST_ONLY}" "${arg_RANKS}" "${arg_LABELS}" arg_LABELS arguments)
  if(NOT arg_LONG AND NOT arg_LABELS STREQUAL "gpu" AND NOT arg_LINK MATCHES "thalweg_(job|cli)")
    list(APPEND arg_LABELS sanitized)
    add_dependencies(sanitized_tests ${arg_NAME})
  endif()
  foreach(ranks ${arg_RANKS})
    thalweg_register_test(${arg_NAME}/np${ranks} ${ranks} "${arg_LABELS}" ${arg_TIMEOUT} $<TARGET_FILE:${arg_NAME}> ${arguments})
  endforeach()
endfunction()
