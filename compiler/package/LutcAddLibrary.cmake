# lutc_add_library(<target> CONFIG <file> [NAME <library>] [CPU <cpu>] [VARIANTS <variant>...] [OPTIONS <option>...])
#
# Compiles CONFIG with lutc at build time, again whenever CONFIG or lutc changes. A target that links <target> links
# lib<library>.a and includes <library>.h. <library> is <target> unless NAME says otherwise; where the config names
# its library, NAME must agree. OPTIONS are further options of `lutc compile`, as in `lutc compile --help`.
# The target's property LUTC_MANIFEST is the path of <library>.json.
function(lutc_add_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CONFIG;NAME;CPU" "VARIANTS;OPTIONS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_CONFIG)
    message(FATAL_ERROR "lutc_add_library(${target}): write CONFIG <file> [NAME] [CPU] [VARIANTS...] [OPTIONS...]")
  endif()
  set(name ${target})
  if(arg_NAME)
    set(name ${arg_NAME})
  endif()
  set(options --name=${name} ${arg_OPTIONS})
  if(arg_CPU)
    list(APPEND options --cpu=${arg_CPU})
  endif()
  if(arg_VARIANTS)
    list(JOIN arg_VARIANTS "," variants)
    list(APPEND options --variants=${variants})
  endif()

  get_filename_component(config ${arg_CONFIG} ABSOLUTE)
  set(directory ${CMAKE_CURRENT_BINARY_DIR}/lutc/${target})
  set(archive ${directory}/lib${name}.a)
  add_custom_command(
    OUTPUT ${archive} ${directory}/${name}.h ${directory}/${name}.json
    COMMAND lutc::lutc compile ${config} -o ${directory} ${options}
    DEPENDS ${config} $<TARGET_FILE:lutc::lutc>
    DEPFILE ${directory}/${name}.d
    COMMENT "Compiling kernel library ${name}"
    VERBATIM)
  add_custom_target(${target}_lutc DEPENDS ${archive})

  file(MAKE_DIRECTORY ${directory}) # an include directory must exist before the first build
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION ${archive}
    INTERFACE_INCLUDE_DIRECTORIES ${directory}
    LUTC_MANIFEST ${directory}/${name}.json)
  add_dependencies(${target} ${target}_lutc)
endfunction()
