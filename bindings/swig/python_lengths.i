/* SPDX-License-Identifier: MIT */
/* How many elements each bare array of a call must have. argN is the N-th parameter of the C function, arrayN its array.
 * tests/bindings/python compares this list with the headers: a function with a bare array that is not here fails. */
%define %csm_lengths(FUNCTION, CHECKS)
%exception FUNCTION {
    if (!(CHECKS)) SWIG_fail;
    CSM_PY_CALL($action);
}
%enddef
%{
#define CSM_PY_HAS(array, count, name) csm_py_long_enough(&(array), (count), 0, name)
#define CSM_PY_MAY(array, count, name) csm_py_long_enough(&(array), (count), 1, name)
%}

%csm_lengths(csm_calibrator_fit, CSM_PY_HAS(array2, arg5, "score") && CSM_PY_HAS(array3, arg5, "outcome") && CSM_PY_MAY(array4, arg5, "weight"))
%csm_lengths(csm_calibrator_choose, CSM_PY_HAS(array2, arg7, "score") && CSM_PY_HAS(array3, arg7, "outcome") && CSM_PY_MAY(array4, arg7, "weight")
             && CSM_PY_HAS(array5, arg7, "begin") && CSM_PY_HAS(array6, arg7, "end"))
%csm_lengths(csm_calibrator_apply, CSM_PY_HAS(array2, arg4, "score") && CSM_PY_HAS(array3, arg4, "probability"))
%csm_lengths(csm_calibrator_venn_abers, CSM_PY_HAS(array2, arg5, "score") && CSM_PY_HAS(array3, arg5, "p0") && CSM_PY_HAS(array4, arg5, "p1"))
%csm_lengths(csm_calibrate_conformal, CSM_PY_HAS(array2, arg3, "residual"))
%csm_lengths(csm_calibrate_brier_gain, CSM_PY_HAS(array4, arg3->length, "other"))
%csm_lengths(csm_calibrate_blocks, CSM_PY_HAS(array1, arg2, "time"))
%csm_lengths(csm_calibrate_spearman, CSM_PY_HAS(array1, arg3, "a") && CSM_PY_HAS(array2, arg3, "b"))
%csm_lengths(csm_calibrate_sharpe, CSM_PY_HAS(array2, arg3, "returns"))
%csm_lengths(csm_model_importance, CSM_PY_HAS(array2, arg3, "out"))
%csm_lengths(csm_model_split_counts, CSM_PY_HAS(array2, arg3, "out"))
%csm_lengths(csm_model_stack, CSM_PY_HAS(array1, arg2->cols, "weight") && csm_py_same(arg2->rows, arg5, "prediction") && CSM_PY_HAS(array3, arg5, "y") && CSM_PY_MAY(array4, arg5, "sample_weight"))
%csm_lengths(csm_predictor_row, CSM_PY_HAS(array2, arg3, "row") && CSM_PY_HAS(array4, arg5, "out"))
%csm_lengths(csm_explainer_importance, CSM_PY_HAS(array4, arg5, "out"))
%csm_lengths(csm_model_purge, CSM_PY_HAS(array1, arg4, "keep") && CSM_PY_HAS(array2, arg4, "begin") && CSM_PY_HAS(array3, arg4, "end"))
%csm_lengths(csm_model_uniqueness, CSM_PY_HAS(array1, arg5, "out") && CSM_PY_HAS(array2, arg5, "begin") && CSM_PY_HAS(array3, arg5, "end")
             && CSM_PY_MAY(array4, arg5, "group"))
%csm_lengths(csm_model_combinatorial, CSM_PY_HAS(array1, arg4, "part") && CSM_PY_HAS(array2, arg4, "begin") && CSM_PY_HAS(array3, arg4, "end"))
%csm_lengths(csm_model_tune, CSM_PY_HAS(array5, arg4->length, "begin") && CSM_PY_HAS(array6, arg4->length, "end")
             && csm_py_columns_good(&arena9, arg4->x.cols, NULL, arg9 ? arg9->categorical : NULL, arg9 ? arg9->monotone : NULL))
%csm_lengths(csm_tuner_tell, CSM_PY_HAS(array3, arg4, "loss"))
%csm_lengths(csm_hmm_from, CSM_PY_HAS(array4, arg2, "start") && CSM_PY_HAS(array5, (size_t)arg2 * arg2, "transition")
             && CSM_PY_HAS(array6, arg2 * arg3, "mean") && CSM_PY_HAS(array7, arg2 * arg3, "variance"))
%csm_lengths(csm_hmm_parameters, CSM_PY_MAY(array2, csm_py_hmm(arg1, 1, 0), "start") && CSM_PY_MAY(array3, csm_py_hmm(arg1, 2, 0), "transition")
             && CSM_PY_MAY(array4, csm_py_hmm(arg1, 1, 1), "mean") && CSM_PY_MAY(array5, csm_py_hmm(arg1, 1, 1), "variance"))
%csm_lengths(csm_hmm_step, CSM_PY_HAS(array1, csm_py_hmm(arg2, 1, 0), "probability") && CSM_PY_HAS(array3, csm_py_hmm(arg2, 0, 1), "row"))
%csm_lengths(csm_table_doubles, CSM_PY_HAS(array3, csm_table_rows(arg1), "out"))
%csm_lengths(csm_cost_walk, CSM_PY_HAS(array2, arg4, "price") && CSM_PY_HAS(array3, arg4, "volume"))
%csm_lengths(csm_fuse_audit, CSM_PY_HAS(array7, arg8, "times"))
%csm_lengths(csm_learn_psi, CSM_PY_HAS(array2, arg3, "reference") && CSM_PY_HAS(array4, arg5, "current"))
%csm_lengths(csm_learn_ks, CSM_PY_HAS(array2, arg3, "a") && CSM_PY_HAS(array4, arg5, "b"))
%csm_lengths(csm_aggregate_add, CSM_PY_HAS(array2, csm_py_width(swig_obj[0]), "loss"))
%csm_lengths(csm_aggregate_weights, CSM_PY_HAS(array1, csm_py_width(swig_obj[1]), "weight"))
%csm_lengths(csm_indicator_push, CSM_PY_HAS(array3, csm_py_width(swig_obj[0]), "output"))
%csm_lengths(csm_table_append, csm_py_same(count2, csm_table_columns(arg1), "cells"))
%csm_lengths(csm_model_train, csm_py_columns_good(&arena5, arg4->x.cols, arg5 ? arg5->feature_names : NULL, arg5 ? arg5->categorical : NULL, arg5 ? arg5->monotone : NULL))
%csm_lengths(csm_indicator_check, CSM_PY_MAY(array2, arg1->parameter_count, "parameters"))
%csm_lengths(csm_indicator_warmup, CSM_PY_MAY(array3, arg2->parameter_count, "parameters"))
%csm_lengths(csm_indicator_memory, CSM_PY_MAY(array3, arg2->parameter_count, "parameters"))
%csm_lengths(csm_indicator_run, CSM_PY_MAY(array2, arg1->parameter_count, "parameters"))
%csm_lengths(csm_indicator_run_many, CSM_PY_MAY(array3, arg2->parameter_count, "parameters") && csm_py_same(count6, arg5, "outputs"))
%csm_lengths(csm_indicator_run_table, csm_py_same(count6, arg3 * arg5, "outputs") && csm_py_requests_good(arg2, arg3, &arena2))
%csm_lengths(csm_indicator_state_new, CSM_PY_MAY(array3, arg2->parameter_count, "parameters"))
