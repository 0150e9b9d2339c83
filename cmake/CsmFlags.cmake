# SPDX-License-Identifier: MIT
# One interface target carries the compile options of every C file in the project. It is never installed.
add_library(csm_flags INTERFACE)
target_compile_features(csm_flags INTERFACE c_std_11)
set(csm_warnings -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror)
target_compile_options(csm_flags INTERFACE
  $<$<COMPILE_LANGUAGE:C>:${csm_warnings}>
  # law 6: the same bits for any compiler flags, instruction set and number of threads
  $<$<COMPILE_LANGUAGE:C>:-ffp-contract=off -fno-math-errno -fvisibility=hidden>)
target_compile_definitions(csm_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
if(CSM_SANITIZE)
  target_compile_options(csm_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-fsanitize=${CSM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all>)
  target_link_options(csm_flags INTERFACE -fsanitize=${CSM_SANITIZE})
endif()
if(CSM_FUZZ)
  target_compile_options(csm_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-fsanitize=fuzzer-no-link>)
endif()
if(CSM_COVERAGE)
  # counters without atomics: threads may lose a count, seldom a line, and everything runs 15 times faster
  target_compile_options(csm_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:--coverage -O1 -fprofile-update=single>)
  target_link_options(csm_flags INTERFACE --coverage)
endif()
find_program(CSM_CCACHE ccache)
mark_as_advanced(CSM_CCACHE)
if(CSM_CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CSM_CCACHE})
endif()
