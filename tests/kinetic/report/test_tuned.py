from io import StringIO

from rich.console import Console

from kinetic._report.tuned import picture, print_tuned

NUMBER = {"value": -0.1, "low": -0.2, "high": -0.05}


def row(loss, copies, **more):
    settings = {"arms.kts.schedule.beta": 0.02}
    views = {"plain": NUMBER}
    return {
        "arm": "kts",
        "settings": settings,
        "loss": loss,
        "copies": copies,
        "fidelity": views,
        "copying": views,
        "on_front": False,
        "chosen": False,
        **more,
    }


def test_the_picture_has_each_candidate_where_its_scores_are():
    lines = picture([row(1.0, -1.0, chosen=True), row(1.0, 0.0), row(0.5, -0.5, on_front=True)])
    assert lines[0] == f" 0 |+{' ' * 54}."
    assert lines[11] == f"-1 |{' ' * 55}#"
    assert lines[6] == f"   |{' ' * 28}o"
    assert lines[-1].split() == ["0", "1"]
    assert picture([])[5].strip(" |").endswith("+") or any("+" in line for line in picture([]))


def test_the_search_is_printed_with_its_intervals_and_verdicts():
    held = {
        "reference": "plain",
        "fidelity": "frechet.fd",
        "copying": "memorisation.f_mem",
        "candidates": [row(1.0, -1.0, chosen=True, on_front=True), row(0.0, -0.5, on_front=True)],
        "held_out": [
            {"arm": "kts", "against": "plain", "metric": "m", "name": "f", "word": "less", "views": {"control": NUMBER}}
        ],
    }
    out = StringIO()
    print_tuned(held, Console(file=out, width=160))
    text = out.getvalue()
    assert "beta 0.02" in text
    assert "plain -0.10 [-0.20, -0.05]" in text
    assert "control -0.10 [-0.20, -0.05]" in text
    assert "m.f" in text
    assert "less" in text
    assert "chosen" in text
    assert "front" in text
