# thalweg_add_test(NAME x SOURCES .. LINK .. [RANKS 1 2 3 4] LABELS .. [TIMEOUT s] [HOST_ONLY])
# Label gpu: needs a device, skipped without one; target gpu_tests builds these.
# One executable (its main is tests/support/main.cpp: Runtime, failures of all ranks) and one test a rank count.
set(thalweg_test_environment
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
  OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl=self,vader,tcp OMPI_MCA_btl_tcp_if_include=lo
  OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl_vader_single_copy_mechanism=none
  OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_plm_rsh_agent=sh OMP_NUM_THREADS=1 OMP_PROC_BIND=false
  OPENBLAS_NUM_THREADS=1 HDF5_USE_FILE_LOCKING=FALSE)

if(THALWEG_ENABLE_SANITIZERS)
  list(APPEND thalweg_test_environment UBSAN_OPTIONS=print_stacktrace=1
    LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/leaks_of_libraries.txt:print_suppressions=0)
endif()
add_custom_target(gpu_tests)

function(thalweg_register_test entry ranks labels timeout)
  if(ranks GREATER 1)
    set(launcher ${MPIEXEC_EXECUTABLE} -n ${ranks})
    set(processors 2)
  else()
    set(launcher "")
    set(processors 1)
  endif()
  add_test(NAME ${entry} COMMAND ${launcher} ${ARGN})
  set_tests_properties(${entry} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout}
    PROCESSORS ${processors} SKIP_RETURN_CODE 77 ENVIRONMENT "${thalweg_test_environment}")
endfunction()

function(thalweg_add_test)
  cmake_parse_arguments(arg "HOST_ONLY" "NAME;TIMEOUT" "SOURCES;LINK;RANKS;LABELS" ${ARGN})
  add_executable(${arg_NAME} ${arg_SOURCES})
  set_target_properties(${arg_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin/tests)
  target_link_libraries(${arg_NAME} PRIVATE ${arg_LINK} thalweg_test_support thalweg_flags)
  target_compile_definitions(${arg_NAME} PRIVATE
    THALWEG_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/golden" THALWEG_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(arg_HOST_ONLY)
    thalweg_set_compiler_mode(${arg_NAME} HOST_ONLY)
  else()
    thalweg_set_compiler_mode(${arg_NAME} DEVICE)
  endif()
  set(arguments "")
  if("gpu" IN_LIST arg_LABELS)
    set(arguments --needs-device)
    add_dependencies(gpu_tests ${arg_NAME})
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT arg_RANKS)
    set(arg_RANKS 1)
  endif()
  foreach(ranks ${arg_RANKS})
    thalweg_register_test(${arg_NAME}/np${ranks} ${ranks} "${arg_LABELS}" ${arg_TIMEOUT} $<TARGET_FILE:${arg_NAME}> ${arguments})
  endforeach()
endfunction()
