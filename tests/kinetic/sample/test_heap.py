from kinetic._sample import heap


def test_the_library_is_asked_once_enough_has_passed(monkeypatch):
    asked = []
    monkeypatch.setattr(heap, "_trim", lambda: asked.append)
    held = heap.Heap()
    for _ in range(5):
        held.passed(2**22)
    assert asked == [0, 0]


def test_without_the_library_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(heap, "_trim", lambda: None)
    heap.Heap().passed(2**30)
