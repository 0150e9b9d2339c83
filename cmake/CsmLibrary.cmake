# SPDX-License-Identifier: MIT
# The library: one folder a stage, in the order in which data flows. Adding a file to a stage's folder is enough.
set(CSM_COMPUTE_STAGES core backend indicator model calibrate rank)
set(CSM_IO_STAGES net store discover ingest cost fuse learn trade pipeline)
set(CSM_STAGES ${CSM_COMPUTE_STAGES})
if(CSM_IO)
  list(APPEND CSM_STAGES ${CSM_IO_STAGES})
endif()

add_library(csm_objects OBJECT)
foreach(stage ${CSM_STAGES})
  file(GLOB_RECURSE stage_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${stage}/*.c)
  target_sources(csm_objects PRIVATE ${stage_sources})
endforeach()
set_target_properties(csm_objects PROPERTIES POSITION_INDEPENDENT_CODE ON C_EXTENSIONS OFF)
target_include_directories(csm_objects PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src ${HDF5_C_INCLUDE_DIRS})
target_compile_definitions(csm_objects PRIVATE CSM_BUILDING=1 CSM_VERSION_TEXT="${PROJECT_VERSION}"
  $<$<BOOL:${CSM_IO}>:CSM_WITH_IO=1> $<$<BOOL:${CSM_TESTS}>:CSM_FAULTS=1> $<$<BOOL:${CSM_HAVE_CUDA}>:CSM_WITH_CUDA=1>)
target_link_libraries(csm_objects PRIVATE csm_flags ${CSM_PRIVATE_LIBS})
include(CsmSimd OPTIONAL)

# src/backend: one folder a device. cuda_none.c stands in for cuda/ where there is no CUDA; cudnn/ needs cuDNN as well.
set(csm_backend_left_out "/src/backend/cudnn/")
if(CSM_HAVE_CUDA)
  file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/backend/cuda/*.cu)
  target_sources(csm_objects PRIVATE ${cuda_sources})
  set_target_properties(csm_objects PROPERTIES CUDA_SEPARABLE_COMPILATION OFF CUDA_STANDARD 17 CUDA_VISIBILITY_PRESET hidden)
  list(APPEND csm_backend_left_out "/src/backend/cuda_none\\.c$")
  list(APPEND CSM_PRIVATE_LIBS CUDA::cudart_static)
else()
  list(APPEND csm_backend_left_out "/src/backend/cuda/")
endif()
get_target_property(csm_all_sources csm_objects SOURCES)
foreach(pattern ${csm_backend_left_out})
  list(FILTER csm_all_sources EXCLUDE REGEX "${pattern}")
endforeach()
set_target_properties(csm_objects PROPERTIES SOURCES "${csm_all_sources}")

add_library(cryptosmart SHARED $<TARGET_OBJECTS:csm_objects>)
add_library(cryptosmart::cryptosmart ALIAS cryptosmart)
target_include_directories(cryptosmart PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(cryptosmart PRIVATE ${CSM_PRIVATE_LIBS} $<BUILD_INTERFACE:csm_flags>)
set_target_properties(cryptosmart PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE C)
# A symbol that is missing fails here and not in the host; what static libraries bring stays inside.
if(NOT CSM_SANITIZE AND NOT APPLE)
  target_link_options(cryptosmart PRIVATE LINKER:--no-undefined LINKER:--exclude-libs,ALL)
endif()

# Unit tests reach hidden symbols through this archive of the same objects.
add_library(cryptosmart_internal STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:csm_objects>)
target_include_directories(cryptosmart_internal PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${HDF5_C_INCLUDE_DIRS})
target_compile_definitions(cryptosmart_internal PUBLIC CSM_FAULTS=1)
target_link_libraries(cryptosmart_internal PUBLIC csm_flags ${CSM_PRIVATE_LIBS})
