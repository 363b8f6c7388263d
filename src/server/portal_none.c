/* portal_none.c - stands for the portal's files in a build without them. */
#include "server/portal.h"

const struct portal_file portal_files[1] = {{.n = 0}};
const size_t portal_n_files = 0;
