using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

public class ImageTransferTests
{
    private static ImageTransfer Filled(int bytes = 1000, int blockSize = 64)
    {
        var image = new ImageTransfer(blockSize);
        Assert.Equal(AccessResult.Success, image.Initiate([1, 2, 3], bytes));
        for (var n = 0; n < image.BlockCount; n++)
            Assert.Equal(BlockVerdict.Store, image.Block((uint)n, Math.Min(blockSize, bytes - n * blockSize)));
        return image;
    }

    [Fact]
    public void An_honest_transfer_runs_through_its_states()
    {
        var image = Filled();
        Assert.Equal((16, true, 16), (image.BlockCount, image.IsWhole, image.FirstNotTransferred));
        Assert.Equal(AccessResult.TemporaryFailure, image.Verify());
        Assert.Equal(ImageStatus.VerificationInitiated, image.Status);
        Assert.Equal(AccessResult.TemporaryFailure, image.Verify());
        Assert.Equal(AccessResult.TemporaryFailure, image.Initiate([1], 10));
        Assert.Equal(AccessResult.TemporaryFailure, image.Activate());
        image.Verified(true);
        Assert.Equal(AccessResult.Success, image.Verify());
        Assert.Equal(AccessResult.TemporaryFailure, image.Activate());
        Assert.Equal(ImageStatus.ActivationInitiated, image.Status);
        image.Activated(true);
        Assert.Equal(ImageStatus.ActivationSuccessful, image.Status);
        // Once activated, an image is not verified again.
        Assert.Equal(AccessResult.OtherReason, image.Verify());
        Assert.Equal(AccessResult.Success, image.Activate());
    }

    [Fact]
    public void Blocks_to_a_server_that_was_not_initiated_are_silently_dropped()
    {
        var image = new ImageTransfer(64);
        Assert.Equal(BlockVerdict.Dropped, image.Block(0, 64));
        Assert.Equal(ImageStatus.NotInitiated, image.Status);
        Assert.Equal(0, image.Received);
        Assert.Equal(AccessResult.OtherReason, image.Verify());
        Assert.Equal(AccessResult.OtherReason, image.Activate());
        var done = Filled();
        done.Verify();
        Assert.Equal(BlockVerdict.Dropped, done.Block(0, 64));
    }

    [Fact]
    public void Missing_blocks_are_told_and_filled()
    {
        var image = new ImageTransfer(16);
        Assert.Equal(AccessResult.Success, image.Initiate([9], 16 * 9 + 5));
        foreach (var n in (uint[])[0, 1, 3, 9]) Assert.Equal(BlockVerdict.Store, image.Block(n, n == 9 ? 5 : 16));
        Assert.Equal("D040", Convert.ToHexString(image.Bitmap));
        Assert.Equal((2, 4, false), (image.FirstNotTransferred, image.Received, image.IsWhole));
        Assert.Equal(AccessResult.OtherReason, image.Verify());
        Assert.Equal(BlockVerdict.Repeated, image.Block(3, 16));
        Assert.Equal(BlockVerdict.Refused, image.Block(10, 16));
        Assert.Equal(BlockVerdict.Refused, image.Block(2, 15));
        Assert.Equal(BlockVerdict.Refused, image.Block(uint.MaxValue, 16));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(ImageTransfer.MaxImageBytes + 1L, 3)]
    [InlineData(100, 0)]
    [InlineData(100, 65)]
    public void An_image_out_of_bounds_is_not_initiated(long bytes, int identifier)
    {
        var image = new ImageTransfer(64);
        Assert.Equal(AccessResult.OtherReason, image.Initiate(new byte[identifier], bytes));
        Assert.Equal(ImageStatus.NotInitiated, image.Status);
    }

    [Fact]
    public void A_disabled_transfer_refuses()
    {
        var image = Filled();
        image.IsEnabled = false;
        Assert.Equal(AccessResult.ReadWriteDenied, image.Verify());
        Assert.Equal(AccessResult.ReadWriteDenied, image.Initiate([1], 10));
        Assert.Equal(AccessResult.ReadWriteDenied, image.Activate());
        Assert.Equal(BlockVerdict.Dropped, image.Block(0, 64));
    }

    [Fact]
    public void Failures_are_told_and_a_new_transfer_may_begin()
    {
        var image = Filled();
        image.Verify();
        image.Verified(false);
        Assert.Equal(ImageStatus.VerificationFailed, image.Status);
        Assert.Equal(AccessResult.OtherReason, image.Verify());
        Assert.Equal(AccessResult.OtherReason, image.Activate());
        Assert.Throws<InvalidOperationException>(() => image.Activated(true));
        Assert.Equal(AccessResult.Success, image.Initiate([4], 20));
        Assert.Equal((0, ImageStatus.Initiated), (image.Received, image.Status));
    }

    [Fact]
    public void The_state_comes_back()
    {
        var image = new ImageTransfer(64);
        image.Initiate([1, 2], 1000);
        foreach (var n in (uint[])[0, 2, 5]) image.Block(n, 64);
        var w = new ByteWriter();
        image.Write(w);
        var r = new ByteReader(w.Written);
        var back = ImageTransfer.Read(ref r);
        Assert.True(r.AtEnd);
        Assert.Equal((image.Received, image.Status, image.ImageBytes, image.FirstNotTransferred),
            (back.Received, back.Status, back.ImageBytes, back.FirstNotTransferred));
        var again = new ByteWriter();
        back.Write(again);
        Assert.Equal(w.ToArray(), again.ToArray());
        Assert.Throws<InvalidDataException>(() =>
        {
            var newer = new ByteReader([2, .. w.ToArray()[1..]]);
            return ImageTransfer.Read(ref newer);
        });
    }

    [Fact]
    public void Image_information_is_there_once_verified()
    {
        var image = Filled();
        var w = new ByteWriter();
        image.WriteInfo(w, [8, 9]);
        Assert.Equal("0100", Convert.ToHexString(w.Written));
        image.Verify();
        image.Verified(true);
        w.Clear();
        image.WriteInfo(w, [8, 9]);
        Assert.Equal("0101" + "0203" + "06000003E8" + "0903010203" + "09020809", Convert.ToHexString(w.Written));
    }
}
