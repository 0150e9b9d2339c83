# SPDX-License-Identifier: MIT
include(CMakePackageConfigHelpers)
install(TARGETS cryptosmart EXPORT cryptosmartTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/cryptosmart DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT cryptosmartTargets NAMESPACE cryptosmart:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cryptosmart)
configure_package_config_file(cmake/cryptosmartConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/cryptosmartConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cryptosmart)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/cryptosmartConfigVersion.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/cryptosmart.pc.in ${CMAKE_CURRENT_BINARY_DIR}/cryptosmart.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cryptosmartConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/cryptosmartConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cryptosmart)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cryptosmart.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
