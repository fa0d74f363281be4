"""A made course: the five tables of the Open University's data set, of whatever size a test wants."""

from __future__ import annotations

import numpy as np
import pandas as pd


def write_course(folder, *, learners=150, seed=0, tells=True):
    """Two modules in 2013B and 2013J and three in 2014B; early marks tell who fails, or nothing does."""
    rng = np.random.default_rng(seed)
    runs = [("AAA", "2013B"), ("BBB", "2013B"), ("AAA", "2013J"), ("BBB", "2013J"), ("AAA", "2014B"), ("CCC", "2014B")]
    student, registration, assessment, given = [], [], [], []
    number = 0
    for r, (module, code) in enumerate(runs):
        asked = [(r * 10 + i, 20 + 35 * i) for i in range(4)]
        assessment += [(module, code, i, "TMA", float(day), 25.0) for i, day in asked]
        for _ in range(learners):
            number += 1
            able = rng.normal()
            fails = rng.random() < 1 / (1 + np.exp(1.5 * able))
            left = float(rng.integers(40, 200)) if fails and rng.random() < 0.4 else np.nan
            student.append((module, code, number, rng.choice(["M", "F"]), "R", "HE", "0-10%", "0-35", 0, 60, False,
                            "Fail" if fails else "Pass"))  # fmt: skip
            registration.append((module, code, number, float(-rng.integers(5, 90)), left))
            for i, day in asked:
                if rng.random() < 0.8 and not (left <= day):
                    shown = able if tells else rng.normal()
                    given.append(
                        (i, number, day + int(rng.integers(-5, 6)), False, float(np.clip(60 + 15 * shown, 0, 100)))
                    )
    names = columns()
    rows = {"student": student, "student_registration": registration, "assessment": assessment,
            "student_assessment": given, "course": [(m, c, 240) for m, c in runs]}  # fmt: skip
    for name, values in rows.items():
        pd.DataFrame(values, columns=names[name]).to_csv(folder / f"oulad_{name}.csv", index=False)
    return folder


def columns():
    return {
        "student": ["code_module", "code_presentation", "id_student", "gender", "region", "highest_education",
                    "imd_band",
                    "age_band", "num_of_prev_attempts", "studied_credits", "disability", "final_result"],
        "student_registration": ["code_module", "code_presentation", "id_student", "date_registration",
                                 "date_unregistration"],
        "assessment": ["code_module", "code_presentation", "id_assessment", "assessment_type", "date", "weight"],
        "student_assessment": ["id_assessment", "id_student", "date_submitted", "is_banked", "score"],
        "course": ["code_module", "code_presentation", "module_presentation_length"],
    }  # fmt: skip
