using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Zeus;

public class FlashTests
{
    private static byte[] Page(Flash flash, int page)
    {
        var bytes = new byte[Flash.PageBytes];
        flash.Read(page, 0, bytes);
        return bytes;
    }

    [Fact]
    public void ProgrammingClearsBitsAndErasingSetsThem()
    {
        var flash = new Flash();
        flash.Program(5, 100, [0xF0, 0x0F]);
        flash.Program(5, 100, [0x3C, 0xFF]);
        Assert.Equal([0xFF, 0x30, 0x0F, 0xFF], Page(flash, 5)[99..103]);
        Assert.False(flash.IsErased(5));
        flash.Erase(5);
        Assert.True(flash.IsErased(5));
        Assert.Equal(1, flash.Erasures(5));
        Assert.Equal(0, flash.HeldBytes());
    }

    [Fact]
    public void AChipHasOneOfTwoSizesAndKnowsItsBounds()
    {
        Assert.Equal(64, new Flash().Pages);
        Assert.Equal(128, new Flash(Flash.LargePages).Pages);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Flash(65));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Flash().Read(64, 0, new byte[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Flash().Program(0, Flash.PageBytes, [1]));
    }

    [Fact]
    public void ACutStopsProgrammingAtItsByteAndEverythingAfter()
    {
        for (var cut = 0; cut < 20; cut++)
        {
            var flash = new Flash();
            flash.CutAfter(cut);
            Assert.Throws<PowerLossException>(() => flash.Program(1, 0, new byte[20]));
            var page = Page(flash, 1);
            Assert.Equal(new byte[cut], page[..cut]);
            Assert.False(page.AsSpan(cut + 1).ContainsAnyExcept((byte)0xFF), $"cut at {cut}");
            Assert.Throws<PowerLossException>(() => flash.Program(2, 0, [0]));
            Assert.Throws<PowerLossException>(() => flash.Erase(2));
            flash.RestorePower();
            flash.Program(2, 0, [0]);
        }
    }

    [Theory]
    [InlineData(4000)]
    [InlineData(4001)]
    public void ATornErasureLeavesItsBeginningErased(int cut)
    {
        var flash = new Flash();
        flash.Program(1, 0, new byte[Flash.PageBytes]);
        flash.CutAfter(cut);
        Assert.Throws<PowerLossException>(() => flash.Erase(1));
        var page = Page(flash, 1);
        Assert.False(page.AsSpan(0, cut).ContainsAnyExcept((byte)0xFF));
        Assert.True(page.AsSpan(cut).ContainsAnyExcept((byte)0xFF));
        Assert.Equal(cut % 2 == 0, page.AsSpan(cut).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void SharedPagesAreHeldOnceAndCopiedWhenWritten()
    {
        var shared = FlashPage.Of("code"u8);
        Flash one = new(), two = new();
        one.Program(9, shared);
        two.Program(9, shared);
        Assert.Equal((0, 0), (one.HeldBytes(), two.HeldBytes()));
        two.Program(9, 0, [0x00]);
        Assert.Equal((byte)'c', Page(one, 9)[0]);
        Assert.Equal(0, Page(two, 9)[0]);
        Assert.Equal(Flash.PageBytes, two.HeldBytes());
        Assert.NotNull(one.SharedPage(9));
        Assert.Null(two.SharedPage(9));
        Assert.Equal((byte)'c', shared.Bytes[0]);
        Assert.Equal(one.PageDigest(9), shared.Digest.ToArray());
        Assert.NotEqual(one.PageDigest(9), two.PageDigest(9));
    }

    [Fact]
    public void ACutWithinASharedPageProgramsItsBeginning()
    {
        var flash = new Flash();
        flash.CutAfter(2);
        Assert.Throws<PowerLossException>(() => flash.Program(9, FlashPage.Of(new byte[100])));
        Assert.Equal([0, 0], Page(flash, 9)[..2]);
        Assert.Equal(0xFF, Page(flash, 9)[3]);
    }

    [Fact]
    public void RotFlipsOneBitAndACopyIsApart()
    {
        var flash = new Flash();
        flash.Program(3, FlashPage.Of(new byte[100]));
        var copy = flash.Copy();
        flash.Rot(3, 50, 7);
        Assert.Equal(0x80, Page(flash, 3)[50]);
        Assert.Equal(0, Page(copy, 3)[50]);
    }

    [Fact]
    public void TheMapCoversEveryPageOnce()
    {
        foreach (var pages in new[] { Flash.SmallPages, Flash.LargePages })
        {
            List<int> used = [.. Run(FlashMap.CakLog), .. Run(FlashMap.BootRecord), FlashMap.CalibrationPage(pages),
                FlashMap.ProvisioningPage(pages)];
            foreach (var part in FlashMap.Parts)
                used.AddRange([.. Run(FlashMap.Slot(pages, part, FirmwareSlot.A)),
                    .. Run(FlashMap.Slot(pages, part, FirmwareSlot.B))]);
            Assert.Equal(Enumerable.Range(0, pages), used.Order());
        }

        static IEnumerable<int> Run(PageRange range) => Enumerable.Range(range.First, range.Count);
    }
}
