/* SPDX-License-Identifier: MIT */
/* What each type of the C interface is in C#: structs are blittable twins (csharp_types.py writes them and their layout is tested),
 * objects are SafeHandles, which the runtime counts for the length of a call, and a status other than CSM_OK is an exception. */
%pragma(csharp) moduleclassmodifiers="/// <summary>Every function of the C interface under its own name and rules; see the C headers. The classes of CryptoSmart are made of it.</summary>\npublic static unsafe class"
%pragma(csharp) moduleimports="#pragma warning disable 1591"
%pragma(csharp) imclassclassmodifiers="internal static unsafe class"

%{
#include "csharp_layout.h"
%}

/* functions alone: csharp_types.py writes the structs and enumerations */
%rename("$ignore", %$isclass) "";
%rename("$ignore", %$isenum) "";
%rename("$ignore", %$isenumitem) "";
%rename("$ignore", %$isconstant) "";

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

%define %csm_number(T, CS)
%typemap(imtype) T *, const T * "CS*"
%typemap(cstype) T *, const T * "CS*"
%typemap(csin) T *, const T * "$csinput"
%typemap(csout, excode="") T *, const T * { return $imcall; }
%enddef
%csm_number(int8_t, sbyte)
%csm_number(uint8_t, byte)
%csm_number(int, int)
%csm_number(int32_t, int)
%csm_number(uint32_t, uint)
%csm_number(int64_t, long)
%csm_number(uint64_t, ulong)
%csm_number(float, float)
%csm_number(double, double)
%csm_number(size_t, System.UIntPtr)
%csm_number(void, void)

/* of 64 bits whatever C's long is */
%define %csm_wide(T, CS)
%typemap(ctype) T "T"
%typemap(imtype) T "CS"
%typemap(cstype) T "CS"
%typemap(in) T "$1 = $input;"
%typemap(csin) T "$csinput"
%typemap(out) T "$result = $1;"
%typemap(csout, excode="") T { return $imcall; }
%enddef
%csm_wide(int64_t, long)
%csm_wide(uint64_t, ulong)

%typemap(imtype) size_t "System.UIntPtr"
%typemap(cstype) size_t "long"
%typemap(csin) size_t "Wire.Size($csinput)"
%typemap(csout, excode="") size_t { return (long)(ulong)$imcall; }

/* ---- text: UTF-8 outside, whatever the system's code page is ----------------------------------------------------------- */

%typemap(ctype) const char *, char *, char **, const char *const * "void *"
%typemap(imtype, out="System.IntPtr") const char * "byte[]"
%typemap(cstype) const char * "string"
%typemap(csin) const char * "Wire.Utf8($csinput)"
%typemap(in) const char * "$1 = ($1_ltype)$input;"
%typemap(out) const char * "$result = (void *)$1;"
%typemap(csout, excode="") const char * { return Wire.Text($imcall); }
%typemap(imtype, out="System.IntPtr") char * "byte*"
%typemap(cstype, out="System.IntPtr") char * "byte*"
%typemap(csin) char * "$csinput"
%typemap(in) char * "$1 = ($1_ltype)$input;"
%typemap(out) char * "$result = (void *)$1;"
%typemap(csout, excode="") char * { return $imcall; }
%typemap(imtype) char **, const char *const * "byte**"
%typemap(cstype) char **, const char *const * "byte**"
%typemap(csin) char **, const char *const * "$csinput"

/* ---- status and enumerations ------------------------------------------------------------------------------------------- */

%typemap(ctype) csm_status, csm_isa "int"
%typemap(imtype) csm_status, csm_isa "int"
%typemap(cstype, out="void") csm_status "int"
%typemap(cstype) csm_isa "int"
%typemap(in) csm_status, csm_isa "$1 = ($1_ltype)$input;"
%typemap(csin) csm_status, csm_isa "$csinput"
%typemap(out) csm_status, csm_isa "$result = (int)$1;"
%typemap(csout, excode="") csm_status { Wire.Check($imcall); }
%typemap(csout, excode="") csm_isa { return $imcall; }
/* here the status is the answer */
%typemap(cstype, out="int") csm_status csm_net_class_status "int"
%typemap(csout, excode="") csm_status csm_net_class_status { return $imcall; }

/* ---- callbacks: pointers to functions that the caller keeps alive ------------------------------------------------------------ */

%define %csm_callback(T)
%typemap(ctype) T "void *"
%typemap(imtype) T "System.IntPtr"
%typemap(cstype) T "System.IntPtr"
%typemap(in) T "$1 = ($1_ltype)$input;"
%typemap(csin) T "$csinput"
%enddef
%csm_callback(csm_log_fn)
%csm_callback(csm_progress_fn)
%csm_callback(csm_clock_fn)
%csm_callback(csm_net_reply_fn)
%csm_callback(csm_trial_fn)

/* ---- structs and objects ---------------------------------------------------------------------------------------------------- */

%define %csm_struct(T)
%csm_number(T, T)
%typemap(imtype) const T *const * "T**"
%typemap(cstype) const T *const * "T**"
%typemap(csin) const T *const * "$csinput"
%typemap(ctype) T "T"
%typemap(imtype) T "T"
%typemap(cstype) T "T"
%typemap(in) T "$1 = $input;"
%typemap(csin) T "$csinput"
%typemap(out) T "$result = $1;"
%typemap(csout, excode="") T { return $imcall; }
%enddef
%define %csm_options(T, INIT)
%enddef
%define %csm_sequence(T, NAME, COUNT)
%enddef
%define %csm_array(T, NAME, COUNT)
%enddef

/* A pointer that is returned is borrowed: the caller keeps its owner. */
%define %csm_object(T, FREE)
%ignore FREE;
%csmethodmodifiers T##_release "internal";
%inline %{
static void T##_release(void *object) { FREE(object); }
%}
%typemap(imtype, out="System.IntPtr") T *, const T * "T"
%typemap(cstype, out="System.IntPtr") T *, const T * "T"
%typemap(csin) T *, const T * "$csinput"
%typemap(csout, excode="") T *, const T * { return $imcall; }
%typemap(imtype) T ** "out T"
%typemap(cstype) T ** "out T"
%typemap(csin) T ** "out $csinput"
%enddef

%csm_struct(csm_matrix)
%csm_struct(csm_series)
%include "types.i"

/* in and out at once */
%typemap(imtype) csm_ingest_report **into "System.IntPtr*"
%typemap(cstype) csm_ingest_report **into "System.IntPtr*"
%typemap(csin) csm_ingest_report **into "$csinput"

%csmethodmodifiers csm_csharp_layout "internal";
int64_t csm_csharp_layout(int index, int field);
