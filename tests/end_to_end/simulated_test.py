"""Simulated cells with known types: what hmot and lowrank make of them."""

import sys

from session import open_session, read_tsv

session = open_session()


def check_tristable():
    """300 particles in three wells: the bound of the objective and the agreement that positions allow."""
    session.done(session.run("simulate", session.job("wells", "simulate", {"simulate": {"model": "tristable"}})))
    job = session.job("types", "hmot", {
        "input": {"file": session.folder / "wells/simulation.h5ad", "time_key": "time", "joint": "obsm/X_sim", "annotation": "fate"},
        "hmot": {"rank": 3}})
    session.done(session.run("hmot", job))
    truth = session.job("truth", "hmot", {
        "input": {"file": session.folder / "wells/simulation.h5ad", "time_key": "time", "joint": "obsm/X_sim", "annotation": "fate"},
        "hmot": {"mode": "supervised"}})
    session.done(session.run("hmot", truth))
    found, by_fate = (float(read_tsv(session.folder / name / "index.tsv")[0]["cost"]) for name in ("types", "truth"))
    session.check(5.0 < found <= min(6.5, by_fate), f"objective {found}, of the true fates {by_fate}")
    scores = [float(row["ami"]) for row in read_tsv(session.folder / "types/tables/scores.tsv") if row["clustering"] == "ml"]
    session.check(len(scores) == 3 and scores[0] >= 0.25 and scores[1] >= 0.7 and scores[2] >= 0.93, f"AMI with the fates {scores}")


def check_mixture():
    """5000 cells of 5 components twice: lowrank finds the components."""
    session.done(session.run("simulate", session.job("mixture", "simulate", {
        "simulate": {"model": "mixture", "cells": 5000, "times": 2, "components": 5, "dimensions": 8, "separation": 8.0}})))
    job = session.job("coupled", "lowrank", {
        "input": {"file": session.folder / "mixture/simulation.h5ad", "time_key": "time", "annotation": "component"},
        "lowrank": {"rank": 5, "restarts": 3}})
    session.done(session.run("lowrank", job))
    scores = {row["time"]: float(row["ami"]) for row in read_tsv(session.folder / "coupled/tables/scores.tsv") if row["clustering"] == "ml"}
    session.check(len(scores) == 2 and min(scores.values()) > 0.9, f"AMI with the components {scores}")


check_tristable()
check_mixture()
sys.exit(session.finish())
