/* SPDX-License-Identifier: MIT */
/*
 * Which addresses may be connected. The address judged is the one that the socket will be connected to, after name
 * resolution, so a name that resolves to an inner address (DNS rebinding) gains nothing.
 */
#include "net/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

typedef struct csm_range4 {
    uint32_t prefix;
    uint32_t bits;
} csm_range4;

typedef struct csm_range6 {
    uint8_t prefix[16];
    uint32_t bits;
} csm_range6;

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890 and updates) and multicast. */
static const csm_range4 special4[] = {
    {0x00000000u, 8},  /* this network */
    {0x0A000000u, 8},  /* private */
    {0x64400000u, 10}, /* shared address space */
    {0x7F000000u, 8},  /* loopback */
    {0xA9FE0000u, 16}, /* link-local, cloud metadata */
    {0xAC100000u, 12}, /* private */
    {0xC0000000u, 24}, /* IETF protocol assignments */
    {0xC0000200u, 24}, /* TEST-NET-1 */
    {0xC0586300u, 24}, /* 6to4 relay anycast */
    {0xC0A80000u, 16}, /* private */
    {0xC6120000u, 15}, /* benchmarking */
    {0xC6336400u, 24}, /* TEST-NET-2 */
    {0xCB007100u, 24}, /* TEST-NET-3 */
    {0xE0000000u, 4},  /* multicast */
    {0xF0000000u, 4},  /* reserved, broadcast */
};

/* IANA IPv6 Special-Purpose Address Registry, multicast, and everything outside global unicast 2000::/3. */
static const csm_range6 special6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* IETF protocol assignments, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4: embeds an IPv4 address */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation */
};

static const uint8_t mapped4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

static bool public4(uint32_t address) {
    for (size_t i = 0; i < sizeof special4 / sizeof special4[0]; i++)
        if ((address ^ special4[i].prefix) >> (32 - special4[i].bits) == 0) return false;
    return true;
}

static uint32_t read4(const uint8_t bytes[4]) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool in_range6(const uint8_t address[16], const csm_range6 *range) {
    for (uint32_t bit = 0; bit < range->bits; bit++) {
        const unsigned shift = 7 - bit % 8;
        if (((address[bit / 8] ^ range->prefix[bit / 8]) >> shift & 1) != 0) return false;
    }
    return true;
}

static bool public6(const uint8_t address[16]) {
    if (memcmp(address, mapped4, 12) == 0 || memcmp(address, nat64, 12) == 0)
        return public4(read4(address + 12));
    if ((address[0] & 0xe0) != 0x20) return false;
    for (size_t i = 0; i < sizeof special6 / sizeof special6[0]; i++)
        if (in_range6(address, &special6[i])) return false;
    return true;
}

static const uint8_t *bytes6(const struct sockaddr *address) {
    return ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
}

static uint32_t bytes4(const struct sockaddr *address) {
    return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
}

bool csm_address_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) return bytes4(address) >> 24 == 127;
    if (address->sa_family != AF_INET6) return false;
    const uint8_t *bytes = bytes6(address);
    if (memcmp(bytes, mapped4, 12) == 0) return bytes[12] == 127;
    static const uint8_t one[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return memcmp(bytes, one, 16) == 0;
}

bool csm_address_public(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) return public4(bytes4(address));
    return address->sa_family == AF_INET6 && public6(bytes6(address));
}

char *csm_address_format(const struct sockaddr *address, char *text, size_t size) {
    const void *bytes = NULL;
    if (address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    else if (address->sa_family == AF_INET6)
        bytes = bytes6(address);
    if (!bytes || !inet_ntop(address->sa_family, bytes, text, (socklen_t)size))
        snprintf(text, size, "address family %d", (int)address->sa_family);
    return text;
}

/* allow_private opens what is unicast and inner; multicast, reserved and "this network" stay shut. */
static bool allowed_inner(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        const uint32_t bits = bytes4(address);
        return bits >> 24 != 0 && bits >> 28 < 14;
    }
    return address->sa_family == AF_INET6 && bytes6(address)[0] != 0xff;
}

static bool may_connect(const csm_transfer *transfer, const struct sockaddr *address) {
    if (transfer->loopback) return csm_address_loopback(address);
    if (csm_address_public(address)) return true;
    return transfer->allow_private && allowed_inner(address);
}

curl_socket_t csm_address_open(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    csm_transfer *transfer = user;
    if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
    if (!may_connect(transfer, &address->addr)) {
        csm_address_format(&address->addr, transfer->refused, sizeof transfer->refused);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}
