"""Where evaluations are kept: processes taken for dead, databases that are away, passwords."""

import time
from pathlib import Path

import pytest
import sqlalchemy.exc
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from neurocomp.errors import InputError, RunError
from neurocomp.explore import presence, storage
from neurocomp.explore.outcome import Outcome
from neurocomp.explore.presence import Owner, Presence
from neurocomp.explore.storage import Line, shown
from neurocomp.explore.store import Store


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two processes on two machines with one study; the first machine's clock is an hour behind."""
    one, two = Store(tmp_path / "j", "s"), Store(tmp_path / "j", "s")
    hello = Presence._say_hello

    def elsewhere(self: Presence) -> None:
        hello(self)
        if self is one._presence:
            name = f"owner:{self.me}"
            value = {"owner": ["elsewhere", 1, 0.0], "beat": time.time() - 3600}
            self._storage.set_study_user_attr(self._study, name, value)

    monkeypatch.setattr(Presence, "_say_hello", elsewhere)
    with one, two:
        yield one, two


def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """More time passes than a process may be silent."""
    now = time.monotonic() + presence.SILENCE_S + 1
    monkeypatch.setattr(presence.time, "monotonic", lambda: now)


def test_a_clock_that_is_behind_makes_nobody_dead(pair) -> None:
    one, two = pair
    assert one.claim("a", {})
    two.refresh()
    assert two.busy("a")
    one.finish("a", Outcome(1.0))
    two.refresh()
    assert two.known("a") == Outcome(1.0)


def test_silence_counts_from_the_last_sign_of_life_that_was_read(
    pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    assert one.claim("a", {})
    two.refresh()
    silence(monkeypatch)
    one._presence._say_hello()
    two.refresh()
    assert two.busy("a")


def test_a_storage_that_was_away_makes_nobody_dead(pair, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = pair
    assert one.claim("a", {})
    two.refresh()
    silence(monkeypatch)
    two._ask.back = presence.time.monotonic() - 1
    two.refresh()
    assert two.busy("a")


def test_what_was_taken_for_dead_keeps_its_outcome(pair, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = pair
    assert one.claim("a", {"candidate": {"k": 1}})
    two.refresh()
    silence(monkeypatch)
    two.refresh()
    assert not two.busy("a")
    one.finish("a", Outcome(1.5))
    assert one.known("a") == Outcome(1.5)
    two.refresh()
    assert two.known("a") == Outcome(1.5)
    assert two.accounts() == {"scored": 1, "unscored": 0, "lost": 1, "running": 0}


def test_a_lost_claim_that_somebody_else_took_is_theirs(
    pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    assert one.claim("a", {})
    two.refresh()
    silence(monkeypatch)
    assert two.claim("a", {})
    one.finish("a", Outcome(1.5))
    assert one.known("a") is None
    assert one.busy("a")
    two.finish("a", Outcome(1.5))
    one.refresh()
    assert one.known("a") == Outcome(1.5)
    assert one.accounts()["scored"] == 1


@pytest.mark.parametrize(("outcome", "counts"), [(Outcome(None, 2.0), True), (Outcome(1.5), False)])
def test_an_outcome_without_score_outlasts_being_reaped(
    pair, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, counts: bool
) -> None:
    """A reaper has marked the claim; its owner says the outcome before either has closed it."""
    one, two = pair
    assert one.claim("a", {})
    trial = one._id(one._mine["a"])
    close = one._close

    def closed(*args) -> None:
        two._storage.set_trial_user_attr(trial, "lost", True)
        two._close(trial, TrialState.FAIL)
        close(*args)

    monkeypatch.setattr(one, "_close", closed)
    monkeypatch.setattr(one, "claim", lambda key, about: False)
    one.finish("a", outcome)
    two.refresh()
    assert two.known("a") == (outcome if counts else None)
    assert two.accounts()["unscored"] == counts


def test_a_claim_reaped_at_once_is_not_ours(tmp_path: Path, monkeypatch) -> None:
    with Store(tmp_path / "j", "s") as one, Store(tmp_path / "j", "s") as two:
        refresh = one.refresh

        def reaped() -> None:
            for trial in two._storage.get_all_trials(two._study):
                two._lose(trial.number)
            refresh()

        monkeypatch.setattr(one, "refresh", reaped)
        assert not one.claim("a", {})


def test_machines_of_one_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    presence.host_name.cache_clear()
    names = set()
    for boot, space in (("b1", "pid:[1]"), ("b2", "pid:[1]"), ("b1", "pid:[2]")):
        monkeypatch.setattr(presence, "_boot", lambda boot=boot: boot)
        monkeypatch.setattr(presence, "_namespace", lambda space=space: space)
        names.add(presence.host_name())
        presence.host_name.cache_clear()
    assert len(names) == 3
    stranger = Owner("elsewhere", 2**22 + 1, 0.0)  # nobody has this number here
    assert not stranger.gone(presence.SILENCE_S)
    assert stranger._replace(host=presence.host_name()).gone(0.0)


class Away:
    """A storage's call that fails so many times first."""

    def __init__(self, times: int, fault: Exception) -> None:
        self.times, self.fault, self.calls = times, fault, 0

    def __call__(self, value: int, **options: bool) -> int:
        self.calls += 1
        if self.calls <= self.times:
            raise self.fault
        return value


LOCKED = sqlalchemy.exc.OperationalError("SELECT", {}, Exception("database is locked"))


def test_a_database_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LONGEST_PAUSE_S", 0.01)
    line, work = Line("postgresql://u:secret@h/x"), Away(3, StorageInternalError("commit"))
    assert line(work, 7) == 7
    assert work.calls == 4
    assert line.back == pytest.approx(time.monotonic(), abs=1.0)
    monkeypatch.setattr(storage, "PATIENCE_S", 0.05)
    found = r"postgresql://u:\*\*\*@h/x: .* not answered for .* \(database is locked\).*--resume"
    with pytest.raises(RunError, match=found):
        line(Away(99, LOCKED), 7)
    line.close()
    last = Away(99, LOCKED)
    with pytest.raises(RunError, match="not answered"):
        line(last, 7)
    assert last.calls == 1


def test_a_search_outlives_a_database_that_is_locked(tmp_path: Path) -> None:
    import sqlite3
    import threading

    path = tmp_path / "x.db"
    with Store(f"sqlite:///{path}?timeout=0.05", "s") as store:
        holder = sqlite3.connect(path, check_same_thread=False)
        holder.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.6, holder.rollback).start()
        assert store.claim("a", {})
        store.finish("a", Outcome(2.0))
        assert store.known("a") == Outcome(2.0)
        holder.close()


@pytest.mark.parametrize(
    "fault",
    [
        LOCKED,
        OSError(28, "No space left on device"),
        sqlalchemy.exc.DatabaseError("UPDATE", {}, Exception("disk image is malformed")),
        StorageInternalError("commit"),
    ],
)
def test_the_heart_outlives_a_storage_that_is_away(
    tmp_path: Path, monkeypatch, fault: Exception
) -> None:
    monkeypatch.setattr(presence, "BEAT_S", 0.01)
    monkeypatch.setattr(storage, "PATIENCE_S", -1.0)
    with Store(tmp_path / "j", "s") as store:
        say = store._storage.set_study_user_attr
        away = Away(2, fault)

        def faulty(study: int, key: str, value: object) -> None:
            away(0)
            say(study, key, value)

        monkeypatch.setattr(store._storage, "set_study_user_attr", faulty)
        for _ in range(300):
            if away.calls > 3:
                break
            time.sleep(0.01)
        assert away.calls > 3


def test_the_heart_of_a_study_that_cannot_be_read_stops(tmp_path: Path, monkeypatch) -> None:
    store = Store(tmp_path / "j", "s")
    monkeypatch.setattr(store._storage, "get_all_trials", Away(1, OSError("gone")))
    with pytest.raises(OSError, match="gone"):
        with store:
            pass
    assert not store._presence._heart.is_alive()


def test_a_claim_heard_without_an_answer_is_ours(tmp_path: Path, monkeypatch) -> None:
    with Store(tmp_path / "j", "s") as store:
        make, fail = store._storage.create_new_trial, [True]

        def heard(*args, **kwargs) -> int:
            trial = make(*args, **kwargs)
            if fail.pop() if fail else False:
                raise LOCKED
            return trial

        monkeypatch.setattr(store._storage, "create_new_trial", heard)
        assert store.claim("a", {})
        store.finish("a", Outcome(1.0))
        assert store.accounts() == {"scored": 1, "unscored": 0, "lost": 1, "running": 0}


def test_finished_trials_of_a_database_are_read_once(tmp_path: Path, monkeypatch) -> None:
    from optuna.storages import RDBStorage

    read = []
    original = RDBStorage._get_trials

    def counted(self, *args, **kwargs):
        found = original(self, *args, **kwargs)
        read.append(len(found))
        return found

    with Store(f"sqlite:///{tmp_path}/x.db", "s") as store:
        for k in range(6):
            store.claim(f"a{k}", {})
            store.finish(f"a{k}", Outcome(1.0))
        monkeypatch.setattr(RDBStorage, "_get_trials", counted)
        store.claim("b", {})
        assert max(read) <= 2  # the new one, and what was open before


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    assert shown(tmp_path) == str(tmp_path)
    assert shown("postgresql://u:secret@h:1/x?password=secret") == "postgresql://u:***@h:1/x"
    assert shown("postgresql://u:secret@h:port/x") == "postgresql://…"
    for url in (
        "postgresql+psycopg://u:secret@localhost:1/x",
        "postgresql+nothing://u:secret@localhost:1/x",
        "postgresql+psycopg://u:secret@localhost:port/x",
    ):
        with pytest.raises(InputError, match=r"database cannot be used|not installed") as fault:
            Store(url, "s")
        assert "secret" not in str(fault.value)
