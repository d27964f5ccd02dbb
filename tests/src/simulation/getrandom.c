/* The C library's getrandom, replaced in the program of the simulation and nowhere else.
 *
 * Rust's hash maps and tokio's order of equally ready branches are seeded by it. With the same bytes in every run they are the same in
 * every run, so that all that varies between two simulations is their seed. Everything that the services draw comes from the seed itself,
 * as an argument. */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

static uint64_t state = 1;

/* SplitMix64. The simulation runs in one thread. */
ssize_t getrandom(void *buffer, size_t length, unsigned int flags) {
    unsigned char *bytes = buffer;
    (void)flags;
    for (size_t i = 0; i < length; i++) {
        uint64_t z = (state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        bytes[i] = (unsigned char)(z ^ (z >> 31));
    }
    return (ssize_t)length;
}
