import pytest
import torch

from kinetic.precision import full_precision

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
