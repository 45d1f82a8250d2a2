// ZSTD_compressSequences, which every build of the library exports, is declared for those only who
// name this.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
