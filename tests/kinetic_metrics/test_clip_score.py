import pytest
import torch
from kinetic_digits import Digits
from kinetic_digits.train import TEMPLATES, WORDS
from kinetic_metrics import CLIPScore

from kinetic import Samples
from kinetic.errors import MissingFileError, OptionError
from kinetic.options import existing_path
from kinetic.testing import cut

MODEL = "local-dir:package:kinetic_digits/clip"
PROMPTS = tuple(TEMPLATES[0].format(word) for word in WORDS)


def digits(n=40):
    test = Digits("test")
    x = test.read(0, n)
    return Samples(torch.arange(n), x, test.labels[:n])


def test_score_and_margins_are_those_of_open_clip_by_hand():
    import open_clip

    folder = existing_path("package:kinetic_digits/clip", what="clip", remedy="")
    net, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(list(PROMPTS))
    from PIL import Image

    seen = digits()
    eight_bit = ((seen.x + 1) * 127.5).round()  # 16 gray levels survive 8 bits up to rounding
    images = torch.stack([prepare(Image.fromarray(image[0].byte().numpy()).convert("RGB")) for image in eight_bit])
    with torch.no_grad():
        cosines = net.encode_image(images, normalize=True) @ net.encode_text(tokens, normalize=True).T
    y = seen.condition[:, None]
    mine = cosines.gather(1, y)[:, 0]
    others = cosines.clone().scatter_(1, y, float("nan"))
    metric = CLIPScore(model=MODEL, prompts=PROMPTS)
    columns = metric.finish(metric.observe(metric.begin(), seen)).columns
    assert torch.allclose(columns["score"], 100 * mine.clamp_min(0), atol=0.2)
    assert torch.allclose(columns["margin_mean"], 100 * (mine - others.nanmean(1)), atol=0.3)
    hardest = others.nan_to_num(-9).amax(1)
    assert torch.allclose(columns["margin_hard"], 100 * (mine - hardest), atol=0.4)


def test_real_digits_fit_their_own_prompt_best():
    metric = CLIPScore(model=MODEL, prompts=PROMPTS)
    score = metric.finish(metric.observe(metric.begin(), digits(360)))
    assert (score.columns["margin_hard"] > 0).double().mean() > 0.95
    assert "resized to 8 x 8" in score.notes[0]


def test_merging_and_order_change_nothing_but_the_last_digits_of_float32():
    metric, seen = CLIPScore(model=MODEL, prompts=PROMPTS), digits(24)
    whole = metric.finish(metric.observe(metric.begin(), seen))
    parts = [metric.observe(metric.begin(), cut(seen, rows)) for rows in (range(9, 24), range(9))]
    merged = metric.finish(metric.merge(*parts))
    assert merged.ids.tolist() == whole.ids.tolist() == list(range(24))
    for name, column in whole.columns.items():
        assert torch.allclose(merged.columns[name], column, atol=1e-4)


def test_bad_input_is_named():
    seen = digits(4)
    metric = CLIPScore(model=MODEL, prompts=PROMPTS)
    with pytest.raises(OptionError, match="needs a class for each sample"):
        metric.observe(metric.begin(), Samples(seen.ids, seen.x))
    few = CLIPScore(model=MODEL, prompts=PROMPTS[:3])
    with pytest.raises(OptionError, match="'prompts' are of 3 classes, the samples ask for class 9"):
        few.observe(few.begin(), Samples(seen.ids, seen.x, torch.full((4,), 9)))
    with pytest.raises(OptionError, match="'prompts' must be a list of strings, 2 or more"):
        CLIPScore(model=MODEL, prompts=["one"])
    with pytest.raises(MissingFileError, match="there is no '/no/such/folder'"):
        CLIPScore(model="local-dir:/no/such/folder", prompts=PROMPTS)
    with pytest.raises(OptionError, match="'pretrained' must be a tag of open_clip for 'ViT-B-32', not nothing"):
        CLIPScore(model="ViT-B-32", prompts=PROMPTS)


def test_a_folder_without_its_preprocessing_is_refused(tmp_path):
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"")
    with pytest.raises(MissingFileError, match=r"CLIP preprocessing: there is no .*open_clip_config\.json"):
        CLIPScore(model=f"local-dir:{tmp_path}", prompts=PROMPTS)


def test_prompts_longer_than_the_model_reads_are_counted():
    seen = digits(4)
    long = PROMPTS[0] + " and" * 400
    metric = CLIPScore(model=MODEL, prompts=(long, *PROMPTS[1:]))
    notes = metric.finish(metric.observe(metric.begin(), seen)).notes
    assert "1 of 10 prompts are longer than this CLIP reads; the rest is not judged." in notes
    fitting = CLIPScore(model=MODEL, prompts=PROMPTS)
    assert not [note for note in fitting.finish(fitting.observe(fitting.begin(), seen)).notes if "longer" in note]
