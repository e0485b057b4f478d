using FsCheck;
using FsCheck.Fluent;

namespace Twin.Detection.Tests;

public sealed class LogFloatTests
{
    [Theory]
    [InlineData(0f, 0f)]
    [InlineData(-3f, 0f)]
    [InlineData(float.NaN, 0f)]
    [InlineData(1f, 1f)]
    [InlineData(1536f, 1536f)]
    [InlineData(0.5f, 0.5f)]
    public void Exact_where_ten_bits_hold_the_number(float value, float expected) =>
        Assert.Equal(expected, LogFloat.Decode(LogFloat.Encode(value)));

    [Fact]
    public void Relative_error_is_at_most_two_to_the_minus_eleven() => Check.QuickThrowOnFailure(Prop.ForAll(
        Gen.Choose(1, int.MaxValue).ToArbitrary(), n =>
        {
            var value = n / 4096f;
            var back = LogFloat.Decode(LogFloat.Encode(value));
            return Math.Abs(back - value) <= value / 2048;
        }));

    [Fact]
    public void Every_code_is_its_own_round_trip_and_order_is_kept()
    {
        var last = -1f;
        for (var code = 0; code <= ushort.MaxValue; code++)
        {
            var value = LogFloat.Decode((ushort)code);
            Assert.True(value > last, $"code {code}");
            Assert.Equal(code, LogFloat.Encode(value));
            last = value;
        }
    }
}
