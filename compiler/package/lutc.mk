# Kernel libraries in Make (4.3 or later). After including this file,
#
#   $(eval $(call lutc_library,<name>,<config>,<directory>,<options of lutc compile>))
#
# makes <directory>/lib<name>.a, <name>.h and <name>.json, again whenever <config> or lutc changes.
lutc_package_directory := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
LUTC ?= $(lutc_package_directory)../../bin/lutc

define lutc_library
$(3)/lib$(1).a $(3)/$(1).h $(3)/$(1).json &: $(2) $$(wildcard $$(LUTC))
	$$(LUTC) compile $(2) -o $(3) --name=$(1) $(4)
-include $(3)/$(1).d
endef
