// CUDA's words and threads for `cupy_on_cpu`: the threads of a block take turns, and only where they wait for each other.
#pragma once
#include <assert.h>
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <type_traits>
#include <utility>

#define __device__
#define __host__
#define __global__
#define __shared__ static
#define __forceinline__ inline

struct Place { unsigned x, y, z; };
static Place threadIdx, blockIdx, blockDim, gridDim;

template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T max(T a, T b) { return a < b ? b : a; }
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __popcll(unsigned long long bits) { return __builtin_popcountll(bits); }
template <class To, class From> To same_bits(From from) { To to; memcpy(&to, &from, sizeof to); return to; }
inline float __int_as_float(int bits) { return same_bits<float>(bits); }
inline int __float_as_int(float number) { return same_bits<int>(number); }
inline double __longlong_as_double(long long bits) { return same_bits<double>(bits); }
inline long long __double_as_longlong(double number) { return same_bits<long long>(number); }
template <class T> T atomicAdd(T *at, T more) { T before = *at; *at += more; return before; }
template <class T> T atomicCAS(T *at, T expected, T wanted) { T before = *at; if (before == expected) *at = wanted; return before; }

// of numbers that no kernel here has
inline unsigned short __float2half_rn(float) { __builtin_trap(); }
inline float __half2float(unsigned short) { __builtin_trap(); }
inline float __ushort_as_half(unsigned short) { __builtin_trap(); }
template <class T> unsigned short __half_as_ushort(T) { __builtin_trap(); }

namespace host {

enum State : char { READY, AT_BLOCK, AT_WARP, DONE };
const size_t STACK = 1 << 16, WARP = 32, MOST = 1024;
static jmp_buf threads[MOST], home;
static State state[MOST];
static size_t current, count, begun;  // threads that have a stack, and go on with the next block where they have done one
static char given[MOST][16];  // by each thread to the others of its warp
static void (*body)(void **);
static void **parameters;

inline void wait(State where) {
  state[current] = where;
  if (!_setjmp(threads[current])) _longjmp(home, 1);
}

inline void enter() {
  for (;;) {
    body(parameters);
    wait(DONE);
  }
}

inline void place(size_t thread) {
  current = thread;
  threadIdx = {unsigned(thread % blockDim.x), unsigned(thread / blockDim.x % blockDim.y), unsigned(thread / blockDim.x / blockDim.y)};
}

// Whether all threads that are left of some wait there; then they go on.
inline bool go_on(size_t begin, size_t end, State where) {
  bool some = false;
  for (size_t i = begin; i < end; i++) {
    if (state[i] != where && state[i] != DONE) return false;
    some |= state[i] == where;
  }
  for (size_t i = begin; i < end; i++) if (state[i] == where) state[i] = READY;
  return some;
}

// What a thread `lane` of this warp gives, or the own value.
template <class T> T exchange(T value, size_t lane, bool wanted) {
  memcpy(given[current], &value, sizeof value);
  wait(AT_WARP);
  size_t other = current / WARP * WARP + lane;
  if (wanted && other < count) memcpy(&value, given[other], sizeof value);
  wait(AT_WARP);
  return value;
}

// Let a thread run until it waits; only the first time does the system have to help.
inline void resume(size_t thread) {
  place(thread);
  if (_setjmp(home)) return;
  if (thread < begun) _longjmp(threads[thread], 1);
  begun++;
  ucontext_t made;
  getcontext(&made);
  made.uc_stack.ss_sp = malloc(STACK);
  made.uc_stack.ss_size = STACK;
  makecontext(&made, enter, 0);
  setcontext(&made);
}

inline void take_turns() {
  for (size_t i = 0; i < count; i++) state[i] = READY;
  for (size_t left = count; left;) {
    for (size_t i = 0; i < count; i++) {
      if (state[i] != READY) continue;
      resume(i);
      left -= state[i] == DONE;
    }
    bool some = go_on(0, count, AT_BLOCK);
    for (size_t i = 0; i < count; i += WARP) some |= go_on(i, min(i + WARP, count), AT_WARP);
    if (left && !some) __builtin_trap();  // they wait for ever
  }
}

inline void run(void (*function)(void **), void **with, Place grid, Place block, bool waits) {
  gridDim = grid, blockDim = block, body = function, parameters = with;
  count = size_t(block.x) * block.y * block.z;
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++) {
        blockIdx = {x, y, z};
        if (waits) take_turns();
        else for (size_t i = 0; i < count; i++) { place(i); body(with); }
      }
}

template <class... A, size_t... I> void spread(void (*kernel)(A...), void **with, std::index_sequence<I...>) {
  kernel(*static_cast<std::remove_const_t<A> *>(with[I])...);
}

template <class... A> void call(void (*kernel)(A...), void **with) { spread(kernel, with, std::index_sequence_for<A...>()); }

}  // namespace host

#define __syncthreads() host::wait(host::AT_BLOCK)
#define __syncwarp(...) host::wait(host::AT_WARP)
template <class T> T __shfl_xor_sync(unsigned, T value, int mask, int = 32) { return host::exchange(value, host::current % host::WARP ^ mask, true); }
template <class T> T __shfl_up_sync(unsigned, T value, unsigned by, int = 32) {
  return host::exchange(value, host::current % host::WARP - by, host::current % host::WARP >= by);
}

#define LAUNCHED(kernel, waits) \
  extern "C" void launch_##kernel(unsigned x, unsigned y, unsigned z, unsigned i, unsigned j, unsigned k, void **with) { \
    host::run([](void **each) { host::call(&kernel, each); }, with, {x, y, z}, {i, j, k}, waits); \
  }
