"""What no analytic owns: learners, topics, questions, materials, exams, cohorts."""
