# SPDX-License-Identifier: MIT
include(CMakePackageConfigHelpers)
set(csm_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cryptosmart)
install(TARGETS cryptosmart EXPORT cryptosmartTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/cryptosmart DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT cryptosmartTargets NAMESPACE cryptosmart:: DESTINATION ${csm_package_folder})
configure_package_config_file(cmake/cryptosmartConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/cryptosmartConfig.cmake
  INSTALL_DESTINATION ${csm_package_folder})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/cryptosmartConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cryptosmartConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/cryptosmartConfigVersion.cmake
  DESTINATION ${csm_package_folder})
# Relative to the .pc file, so that the installed copy can be moved (cmake --install --prefix, DESTDIR).
file(RELATIVE_PATH CSM_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/cryptosmart.pc.in ${CMAKE_CURRENT_BINARY_DIR}/cryptosmart.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cryptosmart.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
