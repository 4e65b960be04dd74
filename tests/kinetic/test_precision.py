import pytest
import torch

from kinetic.precision import full_precision, norms

CPU = torch.device("cpu")
FLOAT32 = 512**0.5 * 2**-24  # roundings of 512 additions, at random; bfloat16 gives 2e-3


def error_of_a_product():
    a, b = torch.randn(64, 512), torch.randn(512, 64)
    exact = a.double() @ b.double()
    return float(((a @ b).double() - exact).norm() / exact.norm())


@pytest.mark.parametrize("setting", ["highest", "high", "medium"])
def test_products_are_float32_whatever_is_allowed_and_the_setting_comes_back(setting):
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(setting)
    try:
        with full_precision(CPU):
            assert error_of_a_product() < FLOAT32
        assert torch.get_float32_matmul_precision() == setting
    finally:
        torch.set_float32_matmul_precision(before)


def test_the_tf32_flag_of_cuda_comes_back_after_an_error_too():
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        with pytest.raises(ZeroDivisionError), full_precision(CPU):
            raise ZeroDivisionError
        assert torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def test_autocast_is_left_and_entered_again():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert error_of_a_product() > 1e-4
        with full_precision(CPU):
            assert error_of_a_product() < FLOAT32
        assert error_of_a_product() > 1e-4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_norms_are_those_of_float64_over_all_elements_of_a_row(dtype):
    x = torch.randn(5, 2, 30).to(dtype)
    expected = x.double().square().sum((1, 2)).sqrt()
    assert norms(x).dtype == torch.float64
    assert torch.allclose(norms(x), expected, rtol=1e-6 if dtype != torch.float64 else 1e-14)


@pytest.mark.parametrize(("dtype", "large"), [(torch.float32, 1e30), (torch.bfloat16, 1e38), (torch.float64, 1e150)])
def test_a_row_whose_square_float32_cannot_hold_has_its_norm_and_changes_no_other(dtype, large):
    x = torch.randn(3, 40).to(dtype)
    alone = norms(x[:1])
    x[1] = large
    found = norms(x)
    assert found[1].item() == pytest.approx(x[1, 0].item() * 40**0.5, rel=1e-12)
    assert found[0].item() == alone.item()
    assert norms(torch.cat([x, x[:1] * torch.nan])).isnan().tolist() == [False, False, False, True]


def test_there_may_be_no_rows_no_elements_and_rows_that_are_not_finite():
    assert norms(torch.zeros(0, 3)).shape == (0,)
    assert norms(torch.zeros(2, 0)).tolist() == [0.0, 0.0]
    assert norms(torch.tensor([[1.0, torch.inf], [3.0, 4.0]])).tolist() == [torch.inf, 5.0]


@pytest.mark.gpu
def test_norms_on_a_gpu_are_those_of_the_cpu():
    x = torch.randn(4, 50) * torch.tensor([[1e-20], [1.0], [1e20], [1e37]])
    assert torch.allclose(norms(x.cuda()).cpu(), norms(x.double()), rtol=1e-6)
