# SPDX-License-Identifier: MIT
# Kernels are written once and compiled three times: plain C by csm_objects itself, and here for AVX2 and AVX-512 through
# one-line wrapper files in the build folder. Every indicator (src/indicator/*.c) and every file named *_simd.c of any
# stage takes part. Names get their suffix from CSM_ISA_SYMBOL (src/backend/isa.h); the caller picks at run time.
# No flag here may change a result: contraction stays off (CsmFlags.cmake), so FMA is used only where it is written. That no
# operation traps lets both sides of a condition be computed on whole vectors.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  return()
endif()
set(csm_isa_avx2_flags -funroll-loops -fno-trapping-math -mavx2 -mfma -DCSM_BUILD_AVX2=1)
set(csm_isa_avx512_flags -funroll-loops -fno-trapping-math -mavx512f -mavx512dq -mavx512vl -mavx512bw -mprefer-vector-width=512 -DCSM_BUILD_AVX512=1)

set(simd_sources "")
foreach(stage ${CSM_STAGES})
  file(GLOB_RECURSE stage_simd CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${stage}/*_simd.c)
  list(APPEND simd_sources ${stage_simd})
endforeach()
file(GLOB indicator_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/indicator/*.c)
list(APPEND simd_sources ${indicator_sources})

foreach(isa avx2 avx512)
  foreach(source ${simd_sources})
    file(RELATIVE_PATH CSM_SIMD_SOURCE ${PROJECT_SOURCE_DIR}/src ${source})
    string(REGEX REPLACE "[/.]" "_" name ${CSM_SIMD_SOURCE})
    set(wrapper ${CMAKE_BINARY_DIR}/simd/${isa}/${name}.c)
    configure_file(${CMAKE_CURRENT_LIST_DIR}/simd_wrapper.c.in ${wrapper} @ONLY)
    set_source_files_properties(${wrapper} PROPERTIES COMPILE_OPTIONS "${csm_isa_${isa}_flags}" OBJECT_DEPENDS ${source})
    target_sources(csm_objects PRIVATE ${wrapper})
  endforeach()
endforeach()
target_compile_definitions(csm_objects PRIVATE CSM_HAVE_SIMD=1)
