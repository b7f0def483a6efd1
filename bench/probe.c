/* The limit probe: normalise and hash a column of e-mail addresses or US phone numbers in one pass over Arrow's buffers.
 * x86-64 with SHA extensions. A measure of what is possible, not a product: lower case of two-byte letters of Latin-1
 * only, no validation, no placeholders. Built by bench/probe.py. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

typedef struct { __m128i abef, cdgh; } State;
typedef struct { State inner, outer; int keyed; } Hash;
typedef struct { const uint8_t *valid; const int32_t *offsets; const uint8_t *data; int64_t first, rows; } In;
typedef struct { uint8_t *valid; int32_t *offsets; char *hex; } Out;

static const uint32_t ROUND[64] __attribute__((aligned(16))) = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static State fresh(void) {
  State s = {_mm_set_epi32(0x6a09e667, 0xbb67ae85, 0x510e527f, 0x9b05688c),
             _mm_set_epi32(0x3c6ef372, 0xa54ff53a, 0x1f83d9ab, 0x5be0cd19)};
  return s;
}

static inline State compress(State s, const uint8_t *block) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL);
  __m128i w[4], abef = s.abef, cdgh = s.cdgh;
  for (int i = 0; i < 4; i++) w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), swap);
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) {
    __m128i k = _mm_add_epi32(w[i & 3], _mm_load_si128((const __m128i *)(ROUND + 4 * i)));
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(k, 0x0e));
    if (i < 12) {
      __m128i next = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
      next = _mm_add_epi32(next, _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
      w[i & 3] = _mm_sha256msg2_epu32(next, w[(i + 3) & 3]);
    }
  }
  s.abef = _mm_add_epi32(abef, s.abef);
  s.cdgh = _mm_add_epi32(cdgh, s.cdgh);
  return s;
}

static inline void digest_of(State s, uint8_t *digest) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL);
  __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b), dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)digest, _mm_shuffle_epi8(_mm_blend_epi16(feba, dchg, 0xf0), swap));
  _mm_storeu_si128((__m128i *)(digest + 16), _mm_shuffle_epi8(_mm_alignr_epi8(dchg, feba, 8), swap));
}

static inline State finish(State s, const uint8_t *text, uint64_t size, uint64_t before) {
  uint8_t last[128];
  uint64_t bits = (size + before) * 8;
  for (; size >= 64; text += 64, size -= 64) s = compress(s, text);
  int length = size < 56 ? 64 : 128;
  memset(last, 0, sizeof last);
  memcpy(last, text, size);
  last[size] = 0x80;
  for (int i = 0; i < 8; i++) last[length - 1 - i] = bits >> (8 * i);
  s = compress(s, last);
  return length == 128 ? compress(s, last + 64) : s;
}

static inline void hash_hex(const Hash *h, const uint8_t *text, int size, char *hex) {
  const __m128i digits = _mm_setr_epi8('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f');
  const __m128i low = _mm_set1_epi8(15);
  uint8_t digest[32];
  digest_of(finish(h->inner, text, size, h->keyed ? 64 : 0), digest);
  if (h->keyed) digest_of(finish(h->outer, digest, 32, 64), digest);
  for (int i = 0; i < 2; i++) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(digest + 16 * i));
    __m128i a = _mm_shuffle_epi8(digits, _mm_and_si128(_mm_srli_epi16(bytes, 4), low));
    __m128i b = _mm_shuffle_epi8(digits, _mm_and_si128(bytes, low));
    _mm_storeu_si128((__m128i *)(hex + 32 * i), _mm_unpacklo_epi8(a, b));
    _mm_storeu_si128((__m128i *)(hex + 32 * i + 16), _mm_unpackhi_epi8(a, b));
  }
}

static inline int email(const uint8_t *text, int size, uint8_t *to) {
  while (size && *text == ' ') text++, size--;
  while (size && text[size - 1] == ' ') size--;
  if (size > 1000) size = 1000;
  for (int i = 0; i < size; i++) {
    int capital = (uint8_t)(text[i] - 'A') < 26 || (i && text[i - 1] == 0xc3 && text[i] <= 0x9e && text[i] != 0x97);
    to[i] = text[i] + (capital ? 32 : 0);
  }
  return size;
}

static inline int phone(const uint8_t *text, int size, uint8_t *to) {
  uint8_t *digits = to + 2;
  int count = 0;
  for (int i = 0; i < size && count < 20; i++) {
    digits[count] = text[i];
    count += (uint8_t)(text[i] - '0') < 10;
  }
  if (count == 11 && digits[0] == '1') memmove(digits, digits + 1, 10), count = 10;
  to[0] = '+', to[1] = '1';
  return count == 10 ? 12 : 0;
}

void probe_pads(Hash *h, const uint8_t *inner, const uint8_t *outer) {
  h->keyed = inner != 0;
  h->inner = h->keyed ? compress(fresh(), inner) : fresh();
  h->outer = h->keyed ? compress(fresh(), outer) : fresh();
}

int64_t probe_column(const uint8_t *inner, const uint8_t *outer, int is_phone, const In *in, const Out *out) {
  Hash h;
  int64_t found = 0;
  probe_pads(&h, inner, outer);
  memset(out->valid, 0, (in->rows + 7) / 8);
  out->offsets[0] = 0;
  for (int64_t row = 0; row < in->rows; row++) {
    int64_t at = in->first + row;
    uint8_t to[1024];
    int size = 0;
    if (!in->valid || in->valid[at >> 3] >> (at & 7) & 1) {
      const uint8_t *text = in->data + in->offsets[at];
      int length = in->offsets[at + 1] - in->offsets[at];
      size = is_phone ? phone(text, length, to) : email(text, length, to);
    }
    if (size) {
      hash_hex(&h, to, size, out->hex + 64 * found++);
      out->valid[row >> 3] |= 1 << (row & 7);
    }
    out->offsets[row + 1] = 64 * found;
  }
  return found;
}
