/* SPDX-License-Identifier: MIT */
/* The C interface for every language: what a type means in a language stands in that language's file, once; types.i lists
 * the types (list_types.py reads the public headers), and the headers themselves list the functions. */
%module(package="cryptosmart") native

%{
#include <cryptosmart/cryptosmart.h>
%}

%include <stdint.i>

/* CSM_API and CSM_PRINTF as on a platform without attributes */
#define _WIN32

#if defined(SWIGPYTHON)
%include "python.i"
#elif defined(SWIGCSHARP)
%include "csharp.i"
#else
#error "no typemaps for this language"
#endif

%ignore CSM_REASON_COUNT_;
%include <cryptosmart/core.h>
%include <cryptosmart/backend.h>
%include <cryptosmart/indicator.h>
%include <cryptosmart/model.h>
%include <cryptosmart/calibrate.h>
%include <cryptosmart/rank.h>
%include <cryptosmart/net.h>
%include <cryptosmart/store.h>
%include <cryptosmart/discover.h>
%include <cryptosmart/ingest.h>
%include <cryptosmart/cost.h>
%include <cryptosmart/fuse.h>
%include <cryptosmart/learn.h>
%include <cryptosmart/pipeline.h>
