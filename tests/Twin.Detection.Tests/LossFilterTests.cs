using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Tests;

public sealed class LossFilterTests
{
    private static LossFilter Learned(int measurements, float[] truth, ulong seed)
    {
        var filter = new LossFilter(truth.Length);
        for (var i = 0; i < truth.Length; i++) filter.Begin(i, 0f, 0.25f);
        var random = new SplitMix64(seed);
        Span<float> values = stackalloc float[truth.Length];
        Span<float> room = stackalloc float[truth.Length];
        for (var m = 0; m < measurements; m++)
        {
            var measured = 0f;
            for (var i = 0; i < truth.Length; i++)
            {
                values[i] = (float)random.NextDouble(0, 0.4);
                measured += truth[i] * values[i];
            }
            // One measurement in ten is wild.
            measured += (float)(random.NextNormal() * (m % 10 == 0 ? 0.2 : 0.005));
            filter.Add(values, measured, m % LossFilter.Parts, room);
        }
        return filter;
    }

    [Fact]
    public void Coefficients_are_found_within_their_own_uncertainty_in_spite_of_wild_measurements()
    {
        float[] truth = [0.03f, 0.5f, 0.03f, -0.2f];
        var filter = Learned(2000, truth, 5);
        for (var i = 0; i < truth.Length; i++)
        {
            Assert.Equal(truth[i], filter.Coefficients[i], 0.02f);
            Assert.InRange(filter.Covariance(i, i), 1e-8f, 0.001f);
        }
        Assert.Equal(filter.Covariance(3, 1), filter.Covariance(1, 3));
    }

    [Fact]
    public void A_coefficient_widens_up_to_its_bound()
    {
        var filter = Learned(500, [0.1f, 0.2f], 6);
        for (var i = 0; i < 5000; i++) filter.Widen(0, 0.001f, 0.16f);
        Assert.Equal(0.16f, filter.Covariance(0, 0));
    }

    [Fact]
    public void What_is_taken_over_keeps_its_place()
    {
        var old = Learned(500, [0.1f, 0.2f, 0.3f], 7);
        var filter = new LossFilter(3);
        for (var i = 0; i < 3; i++) filter.Begin(i, 0.035f, 0.16f);
        filter.TakeOver(old, [2, -1, 0]);
        Assert.Equal((old.Coefficients[2], 0.035f, old.Coefficients[0]),
            (filter.Coefficients[0], filter.Coefficients[1], filter.Coefficients[2]));
        Assert.Equal((old.Covariance(0, 2), 0f, 0.16f),
            (filter.Covariance(0, 2), filter.Covariance(0, 1), filter.Covariance(1, 1)));
    }

    [Fact]
    public void Filter_survives_its_encoding_and_refuses_another_number_of_columns()
    {
        var w = new ByteWriter();
        Learned(100, [0.1f, 0.2f], 8).Write(w);
        var bytes = w.ToArray();
        var r = new ByteReader(bytes);
        var again = new ByteWriter();
        LossFilter.Read(ref r, 2).Write(again);
        Assert.True(r.AtEnd);
        Assert.Equal(bytes, again.ToArray());
        Assert.Throws<InvalidDataException>(() =>
        {
            var other = new ByteReader(bytes);
            LossFilter.Read(ref other, 3);
        });
    }
}
