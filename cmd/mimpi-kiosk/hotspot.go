package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mimpi-kiosk/internal/hotspot"
)

func hotspotCommand() *cobra.Command {
	var f displayFlags
	var keyfile bool
	cmd := &cobra.Command{
		Use:   "hotspot",
		Short: "Make the Wi-Fi for phones as the configuration says, or take it away",
		Long: "Make the Wi-Fi for phones with NetworkManager as [wifi] of the configuration says, or take it away where hotspot = false.\n" +
			exitCodes("done", "NetworkManager refused", "wrong use"),
		Example: "  sudo mimpi-kiosk hotspot\n  mimpi-kiosk hotspot --print",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := f.settled().WiFi
			network := hotspot.WiFi{
				Name: w.Name, Password: w.Password, Hidden: w.Hidden, Interface: w.Interface, Country: w.Country,
			}
			switch {
			case keyfile:
				_, err := fmt.Fprint(cmd.OutOrStdout(), network.Keyfile())
				return err
			case !w.Hotspot || w.Name == "":
				return hotspot.Off(cmd.Context(), hotspot.System())
			}
			return network.On(cmd.Context(), hotspot.System())
		},
	}
	f.addSettings(cmd)
	cmd.Flags().BoolVar(&keyfile, "print", false, "print NetworkManager's profile and change nothing")
	return cmd
}
